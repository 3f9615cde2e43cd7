"""The exported model computes what the trained one does, here and in plain transformers."""

import json
import os

import numpy as np
import pytest
import tensorflow as tf
from transformers import AutoTokenizer, TFBertForSequenceClassification

from tf_finetune.data.batch import text_rows
from tf_finetune.errors import UserError
from tf_finetune.models.building import build
from tf_finetune.models.weights import OfRun, Pretrained, new_variables, pretrained
from tf_finetune.runs import model_folder as module
from tf_finetune.runs.model_folder import check_model_folder, read_labels, write_model_folder
from tf_finetune.tasks.classes import Classes
from tf_finetune.tasks.output_scale import OutputScale
from tf_finetune.tasks.several_classes import SeveralClasses
from tf_finetune.tasks.spans.spans import Spans
from tf_finetune.tasks.values import Values

pytestmark = pytest.mark.numeric

LABELS = Classes(("neg", "neutral", "pos"))


@pytest.fixture(scope="module")
def classifier(tiny_encoder, spec_for):
    """A model whose trainable variables are no longer those of the encoder."""
    sections = {"freeze": {"depth": 1}, "encoder": {"dropout": 0.25}}
    model = build(spec_for(tiny_encoder, LABELS, **sections), Pretrained())
    generator = np.random.default_rng(3)
    for variable in model.trainable_weights:
        variable.assign_add(generator.normal(0, 0.1, variable.shape).astype(np.float32))
    return model


@pytest.fixture
def folder(classifier, tiny_tokenizer, tmp_path):
    path = tmp_path / "run" / "model"
    write_model_folder(path, classifier, tiny_tokenizer, LABELS, max_length=32)
    return path


@pytest.fixture(scope="module")
def batch(tiny_tokenizer):
    texts = ["the film was good", "the plot was very dull and the actors were poor !"]
    tokens = tiny_tokenizer(texts, padding=True, return_tensors="np")
    names = ("input_ids", "token_type_ids", "attention_mask")
    return text_rows(*[tf.constant(tokens[name], tf.int32) for name in names])


def test_reloaded_model_is_equal_bit_for_bit(folder, classifier, batch, spec_for):
    spec = spec_for(check_model_folder(folder), LABELS)
    reloaded = build(spec, OfRun())

    assert new_variables(spec, OfRun()) == []
    for path, variable in classifier.by_path.items():
        np.testing.assert_array_equal(reloaded.by_path[path], variable, err_msg=path)
    np.testing.assert_array_equal(
        reloaded(batch, training=False), classifier(batch, training=False)
    )


def test_plain_transformers_computes_the_same(folder, classifier, batch):
    model = TFBertForSequenceClassification.from_pretrained(str(folder))

    logits = model(
        input_ids=batch.content.ids,
        token_type_ids=batch.content.type_ids,
        attention_mask=batch.texts.mask,
    ).logits

    np.testing.assert_allclose(logits, classifier(batch, training=False), atol=1e-6)
    assert model.config.id2label == {0: "neg", 1: "neutral", 2: "pos"}


def test_what_the_head_reads_survives_and_the_library_is_offered_no_other_head(
    tiny_encoder, tiny_tokenizer, spec_for, batch, tmp_path
):
    path, pooled = tmp_path / "model", {"encoder": {"pooling": "mean"}}
    model = build(spec_for(tiny_encoder, LABELS, **pooled), Pretrained())
    write_model_folder(path, model, tiny_tokenizer, LABELS, max_length=32)
    config = json.loads((path / "config.json").read_text())

    files = check_model_folder(path)
    reloaded = build(spec_for(files, LABELS), OfRun())

    assert (config["text_pooling"], config["architectures"]) == ("mean", ["BertModel"])
    assert files.pooling_choice == ("mean", "as its config.json says")
    np.testing.assert_array_equal(reloaded(batch, training=False), model(batch, training=False))
    assert "bert/pooler/dense/kernel" not in reloaded.by_path
    again = module.model_config(
        build(spec_for(path, LABELS, encoder={"pooling": "first"}), Pretrained()), LABELS
    )
    assert "text_pooling" not in again


def test_configuration_says_what_was_trained(folder):
    config = json.loads((folder / "config.json").read_text())

    assert config["architectures"] == ["BertForSequenceClassification"]
    assert config["problem_type"] == "single_label_classification"
    assert config["label2id"] == {"neg": 0, "neutral": 1, "pos": 2}
    assert {config[f"{kind}_dropout_prob"] for kind in ("hidden", "attention_probs")} == {0.25}
    assert config["classifier_dropout"] == 0.25


def test_tokenizer_comes_along_with_the_length_of_the_training(folder, tiny_tokenizer):
    tokenizer = AutoTokenizer.from_pretrained(str(folder))

    assert tokenizer.get_vocab() == tiny_tokenizer.get_vocab()
    assert tokenizer.model_max_length == 32
    assert tiny_tokenizer.model_max_length > 32


@pytest.mark.parametrize(
    "labels",
    [
        LABELS,
        SeveralClasses(("a", "b")),
        SeveralClasses(("a", "b"), threshold=0.37),
        Classes(("1", "0", "ß", "a b")),
        Values(),
        Spans(),
        Spans(no_answer_threshold=0.37),
    ],
)
def test_labels_survive(classifier, labels):
    config = json.loads(json.dumps(module.model_config(classifier, labels)))

    assert read_labels(config, "config.json") == labels


@pytest.mark.parametrize("threshold", [0, 1.0, "0.5", None, True])
def test_a_threshold_that_is_none_is_refused(threshold):
    config = {
        "problem_type": "multi_label_classification",
        "id2label": {"0": "a"},
        "label_threshold": threshold,
    }

    with pytest.raises(UserError, match=r"c\.json: label_threshold: received .* above 0, below 1"):
        read_labels(config, "c.json")


def test_what_an_encoder_says_of_its_own_head_is_not_handed_on(classifier, monkeypatch):
    old = {"label_threshold": 0.2, "target_mean": 5.0, "target_deviation": 2.0}
    monkeypatch.setitem(classifier.files.__dict__, "config", classifier.files.config | old)

    assert not old.keys() & module.model_config(classifier, LABELS).keys()


def test_a_number_is_answered_in_the_units_of_the_targets(
    tiny_encoder, tiny_tokenizer, batch, spec_for, tmp_path
):
    labels = Values()
    spec = spec_for(tiny_encoder, labels, training={"seed": 3})
    model = build(spec, Pretrained(scale=OutputScale(50.0, 25.0)))

    write_model_folder(tmp_path / "model", model, tiny_tokenizer, labels, max_length=32)

    written = check_model_folder(tmp_path / "model")
    again = spec_for(written, labels)
    loaded = build(again, OfRun())
    expected = model(batch, training=False)
    np.testing.assert_allclose(loaded(batch, training=False), expected, rtol=1e-6)
    assert np.abs(expected - 50.0).max() < 10
    known = {name: written.config[name] for name in ("target_mean", "target_deviation")}
    assert known == {"target_mean": 50.0, "target_deviation": 25.0}
    # Going on from it begins with the same answers, however other targets are scaled.
    start = pretrained(written, labels, np.float32([20.0, 60.0]))
    assert start.scale == OutputScale(40.0, 20.0)
    assert new_variables(again, start) == []
    np.testing.assert_allclose(build(again, start)(batch, training=False), expected, rtol=1e-6)


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"problem_type": "regression"},
        {"problem_type": "token_classification", "id2label": {"0": "a"}},
        {"problem_type": "single_label_classification", "id2label": {"1": "a", "2": "b"}},
    ],
)
def test_model_of_others_has_no_known_labels(config):
    with pytest.raises(UserError, match=r"c\.json: problem_type: received .* with id2label"):
        read_labels(config, "c.json")


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json"])
def test_changed_and_missing_files_are_named(folder, name):
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(UserError, match=f"{name}: damaged"):
        check_model_folder(folder)

    (folder / name).unlink()
    with pytest.raises(UserError, match=f"{name}: missing"):
        check_model_folder(folder)


@pytest.mark.parametrize("content", ["", "[]", '{"sha256": 3}', '{"sha256": {}}'])
def test_damaged_manifest_is_named(folder, content):
    (folder / "manifest.json").write_text(content)

    with pytest.raises(UserError, match=r"manifest\.json: damaged"):
        check_model_folder(folder)


def test_pipe_beside_the_listed_files_is_refused_before_a_tokenizer_waits_for_it(folder):
    os.mkfifo(folder / "added_tokens.json")

    with pytest.raises(UserError, match="added_tokens.json: is a device or a pipe"):
        check_model_folder(folder)


def test_folder_without_a_manifest_is_no_model(tmp_path):
    with pytest.raises(UserError, match=r"no model here \(manifest\.json is missing\)"):
        check_model_folder(tmp_path)


def test_half_written_model_is_never_seen(folder, classifier, tiny_tokenizer, monkeypatch):
    before = {path.name: path.read_bytes() for path in folder.iterdir()}

    def fail(*_):
        assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
        raise OSError("disk full")

    monkeypatch.setattr(module, "_save_tokenizer", fail)
    for target in (folder, folder.with_name("other")):
        with pytest.raises(OSError, match="disk full"):
            write_model_folder(target, classifier, tiny_tokenizer, LABELS, max_length=32)

    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert [path.name for path in folder.parent.iterdir()] == ["model"]


def test_model_is_replaced_whole(folder, classifier, tiny_tokenizer):
    (folder / "stale.txt").write_text("from before")

    write_model_folder(folder, classifier, tiny_tokenizer, LABELS, max_length=16)

    assert not (folder / "stale.txt").exists()
    assert [path.name for path in folder.parent.iterdir()] == ["model"]
    check_model_folder(folder)
