"""The SavedModel answers texts as the trained model does, also where nothing of ours is loaded."""

import json
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from tf_finetune.data.batch import text_rows
from tf_finetune.export.saved_model import (
    ServableModel,
    answers,
    warm_up_texts,
    write_saved_model,
)
from tf_finetune.tasks.classes import Classes
from tf_finetune.tasks.several_classes import SeveralClasses
from tf_finetune.tasks.tags.tags import Tags
from tf_finetune.tasks.values import Values

pytestmark = pytest.mark.numeric

LABELS = Classes(("neg", "neutral", "größer"))
TEXTS = ["The film was good", "", "the plot was very dull，and the actors were poor [SEP] !"]
MAX_LENGTH = 32


@pytest.fixture(scope="module")
def classifier(build_trained):
    return build_trained()


@pytest.fixture(scope="module")
def folder(classifier, graph_tokenizer, tiny_tokenizer, tmp_path_factory):
    path = tmp_path_factory.mktemp("export") / "savedmodel"
    model = ServableModel(classifier, graph_tokenizer, LABELS, pairs=False)
    write_saved_model(path, model, tiny_tokenizer, MAX_LENGTH)
    return path


@pytest.fixture(scope="module")
def loaded(folder):
    return tf.saved_model.load(str(folder))


def logits_of(classifier, tokenizer, *columns):
    tokens = tokenizer(
        *columns, truncation=True, max_length=MAX_LENGTH, padding=True, return_tensors="np"
    )
    names = {"input_ids": "token_ids"}
    batch = {names.get(n, n): tf.constant(value, tf.int32) for n, value in tokens.items()}
    return batch, classifier(text_rows(**batch), training=False).numpy()


def test_texts_and_tokens_get_the_logits_of_the_model(loaded, classifier, tiny_tokenizer):
    batch, expected = logits_of(classifier, tiny_tokenizer, TEXTS)

    of_texts = loaded.signatures["serving_default"](text=tf.constant(TEXTS))
    of_tokens = loaded.signatures["token_ids"](**batch)

    np.testing.assert_allclose(of_texts["logits"], expected, atol=1e-5)
    np.testing.assert_allclose(of_tokens["logits"], expected, atol=1e-5)
    assert of_texts.keys() == of_tokens.keys()


def test_fresh_process_gives_the_same(folder, classifier, tiny_tokenizer):
    script = (
        "import json, sys, tensorflow as tf, tensorflow_text\n"
        "answer = tf.saved_model.load(sys.argv[1]).signatures['serving_default']\n"
        "found = answer(text=tf.constant(json.loads(sys.argv[2])))\n"
        "loaded = [name for name in ('tf_finetune', 'transformers') if name in sys.modules]\n"
        "print(json.dumps([found['logits'].numpy().tolist(), loaded]))"
    )
    command = [sys.executable, "-c", script, str(folder), json.dumps(TEXTS)]

    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)

    logits, loaded = json.loads(done.stdout)
    expected = logits_of(classifier, tiny_tokenizer, TEXTS)[1]
    np.testing.assert_allclose(logits, expected, atol=1e-5)
    assert loaded == []


def test_requests_of_tensorflow_serving_fit_the_signature(loaded):
    """Its REST interface: {"instances": [...]} for a signature with one input, answers by row."""
    instances = json.loads(json.dumps({"instances": TEXTS}))["instances"]
    (name,) = loaded.signatures["serving_default"].structured_input_signature[1]

    outputs = loaded.signatures["serving_default"](**{name: tf.constant(instances)})

    # The server cuts every output into rows, so all need one row a text.
    assert {output.shape[0] for output in outputs.values()} == {len(TEXTS)}
    rows = [dict(zip(outputs, row, strict=True)) for row in zip(*outputs.values(), strict=True)]
    for row in rows:
        names = [value.decode() for value in row["label_names"].numpy()]
        assert names == list(LABELS.names)
        assert row["label"].numpy().decode() == names[int(np.argmax(row["probabilities"]))]
        assert float(tf.reduce_sum(row["probabilities"])) == pytest.approx(1, abs=1e-5)


def test_pairs_take_two_texts(build_trained, graph_tokenizer, tiny_tokenizer):
    classifier, labels = build_trained(1), Values()
    model = ServableModel(classifier, graph_tokenizer, labels, pairs=True)
    first, second = TEXTS, ["a " * 40, "the actors", "not good"]
    expected = logits_of(classifier, tiny_tokenizer, first, second)[1]

    found = model.of_texts(text=tf.constant(first), text_pair=tf.constant(second))

    np.testing.assert_allclose(found["logits"], expected, atol=1e-5)
    np.testing.assert_allclose(found["value"], expected[:, 0], atol=1e-5)
    assert found.keys() == {"logits", "value"}


def test_of_tags_each_word_is_answered_from_token_ids(build_trained, tiny_tokenizer, tmp_path):
    labels = Tags(("O", "B-film", "I-film"))
    classifier = build_trained(labels, encoder={"pooling": "words"})
    model = ServableModel(classifier, None, labels, pairs=False)
    write_saved_model(tmp_path, model, tiny_tokenizer, MAX_LENGTH)
    batch, _ = logits_of(classifier, tiny_tokenizer, TEXTS[::2])
    reads = tf.constant([[1, 2, 4], [3, -1, -1]])
    expected = classifier(text_rows(**batch, reads=tf.maximum(reads, 0)), training=False)
    expected = tf.reshape(expected, [2, 3, 3]).numpy()

    loaded = tf.saved_model.load(str(tmp_path)).signatures
    found = loaded["serving_default"](**batch, reads=reads)

    assert loaded.keys() == {"serving_default", "token_ids"}
    assert found.keys() == {"logits", "probabilities", "tag"}
    is_word = reads.numpy() >= 0
    np.testing.assert_allclose(found["logits"].numpy()[is_word], expected[is_word], atol=1e-5)
    names = [labels.names[index] for index in expected[is_word].argmax(axis=-1)]
    assert [tag.decode() for tag in found["tag"].numpy()[is_word]] == names
    assert found["tag"].numpy()[1].tolist()[1:] == [b"", b""]
    for record in tf.data.TFRecordDataset(
        str(tmp_path / "assets.extra" / "tf_serving_warmup_requests")
    ).as_numpy_iterator():
        assert b"reads" in record


def test_several_labels_have_a_probability_each():
    labels = SeveralClasses(("dull", "good"))
    logits = tf.constant([[0.0, np.log(3.0)]], tf.float32)

    found = answers(labels, logits)

    np.testing.assert_allclose(found["probabilities"], [[0.5, 0.75]], atol=1e-6)
    np.testing.assert_array_equal(found["applies"], [[False, True]])
    assert found.keys() == {"logits", "probabilities", "label_names", "applies"}
    for threshold, applies in ((0.74, [False, True]), (0.76, [False, False]), (0.4, [True, True])):
        decided = answers(labels.decided_at(threshold), logits)["applies"]
        np.testing.assert_array_equal(decided, [applies])


def test_warm_up_requests_are_answered_by_their_signature(folder, loaded):
    path = folder / "assets.extra" / "tf_serving_warmup_requests"
    signatures = []
    for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
        # PredictionLog.predict_log.request: fields 6 and 1; then model_spec and inputs.
        ((number, log),) = fields(record)
        ((inner, request),) = fields(log)
        assert (number, inner) == (6, 1)
        parts = fields(request)
        spec = dict(fields(next(content for n, content in parts if n == 1)))
        entries = [dict(fields(content)) for n, content in parts if n == 2]
        signatures.append(spec[3].decode())
        kind = tf.string if signatures[-1] == "serving_default" else tf.int32
        inputs = {entry[1].decode(): tf.io.parse_tensor(entry[2], kind) for entry in entries}
        answered = loaded.signatures[signatures[-1]](**inputs)
        assert np.isfinite(answered["logits"]).all()
    assert signatures == ["serving_default", "token_ids"] * 2


def fields(message):
    """Length-delimited fields of a serialized protobuf message."""
    found, at = [], 0

    def varint():
        nonlocal at
        value, shift = 0, 0
        while True:
            byte = message[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(message):
        tag = varint()
        assert tag & 7 == 2
        length = varint()
        found.append((tag >> 3, message[at : at + length]))
        at += length
    return found


def test_warm_up_texts_reach_from_one_token_to_the_longest(tiny_tokenizer):
    lengths = [
        len(tiny_tokenizer(text)["input_ids"]) - 2 for text in warm_up_texts(tiny_tokenizer, 32)
    ]

    assert lengths[0] == 1 and lengths[-1] >= 32 and lengths == sorted(lengths)
