"""LiteRT files answer as the model does, to the precision they keep."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from tf_finetune.data.batch import text_rows
from tf_finetune.errors import UserError
from tf_finetune.export.formats import CALIBRATED, PRECISIONS
from tf_finetune.export.litert import LiteRtModel, check_interpreter, convert
from tf_finetune.export.litert_calibrated import CALIBRATION_TEXTS, calibration_inputs
from tf_finetune.tasks.classes import Classes
from tf_finetune.tasks.tags.tags import Tags

pytestmark = pytest.mark.numeric

LABELS = Classes(("neg", "neutral", "pos"))
TAGS = Tags(("O", "B-film", "I-film"))


@pytest.fixture(scope="module")
def classifier(build_trained):
    return build_trained()


def batch_of(rows, length, padding=0):
    generator = np.random.default_rng(rows * length)
    mask = np.ones((rows, length), np.int32)
    mask[0, length - padding :] = 0
    return {
        "token_ids": generator.integers(5, 60, (rows, length), np.int32),
        "token_type_ids": np.zeros((rows, length), np.int32),
        "attention_mask": mask,
    }


@pytest.fixture(scope="module")
def batches():
    return [batch_of(1, 3), batch_of(4, 9, padding=3), batch_of(1, 32), batch_of(2, 5)]


@pytest.fixture(scope="module")
def expected(classifier, batches):
    """Before the conversion, which changes the model's GELU."""
    tensors = [{name: tf.constant(v) for name, v in batch.items()} for batch in batches]
    return [classifier(text_rows(**batch), training=False).numpy() for batch in tensors]


class Texts:
    """A split of texts of some lengths, each of tokens drawn by its row."""

    task = Classes

    def __init__(self, *lengths):
        self.lengths = np.array(lengths)

    def __len__(self):
        return len(self.lengths)

    def gather(self, rows, pad_to):
        (row,) = rows
        length = self.lengths[row]
        batch = batch_of(1, pad_to, padding=pad_to - length)
        batch["token_ids"][0, :length] = np.random.default_rng(row).integers(5, 60, length)
        return SimpleNamespace(**batch)


@pytest.fixture(scope="module")
def files(classifier, expected):
    return convert(classifier, LABELS, PRECISIONS, calibration_inputs(Texts(*range(3, 32))))


@pytest.mark.parametrize(("precision", "tolerance"), [("float32", 1e-5), ("float16", 0.05)])
def test_any_batch_gets_the_logits_of_the_model(files, batches, expected, precision, tolerance):
    model = LiteRtModel(files[precision])

    for batch, logits in zip(batches, expected, strict=True):
        np.testing.assert_allclose(model(batch), logits, atol=tolerance)


@pytest.mark.parametrize(
    ("pooling", "precision", "tolerance"),
    [("mean", "float32", 1e-5), ("last", "float32", 1e-5), ("max", "static-int8", 0.5)],
)
def test_every_pooling_is_converted(build_trained, batches, pooling, precision, tolerance):
    """Of what is largest the form that a huge number in place of padding would have spoilt."""
    pooled = build_trained(encoder={"pooling": pooling})
    tensors = [{name: tf.constant(v) for name, v in batch.items()} for batch in batches]
    expected = [pooled(text_rows(**batch), training=False).numpy() for batch in tensors]

    (content,) = convert(
        pooled, LABELS, [precision], calibration_inputs(Texts(*range(3, 32)))
    ).values()

    for batch, logits in zip(batches, expected, strict=True):
        assert np.ptp(logits) > 2 * tolerance
        np.testing.assert_allclose(LiteRtModel(content)(batch), logits, atol=tolerance)


def test_int8_ranks_alike_and_is_smallest(files, batches, expected):
    model = LiteRtModel(files["int8"])

    for batch, logits in zip(batches, expected, strict=True):
        assert np.corrcoef(model(batch).ravel(), logits.ravel())[0, 1] > 0.9
    sizes = [len(files[precision]) for precision in ("float32", "float16", "int8")]
    assert sizes == sorted(sizes, reverse=True)


@pytest.mark.parametrize(("precision", "least"), [("static-int8", 0.9), ("full-int8", 0.7)])
def test_calibrated_files_rank_alike_and_do_not_see_padding(
    files, batches, expected, precision, least
):
    model = LiteRtModel(files[precision])
    other_padding = {name: value.copy() for name, value in batches[1].items()}
    other_padding["token_ids"][0, -3:] = 7

    for batch, logits in zip(batches, expected, strict=True):
        assert np.corrcoef(model(batch).ravel(), logits.ravel())[0, 1] > least
    np.testing.assert_allclose(model(other_padding), model(batches[1]), atol=1e-6)


def test_calibrated_files_hold_integers(files):
    for precision in CALIBRATED:
        assert len(files[precision]) < len(files["float16"])
    assert files["static-int8"] != files["full-int8"]


def test_calibration_is_of_a_sample_and_always_has_padding():
    inputs = calibration_inputs(Texts(*[6] * 200))

    assert len(inputs) == CALIBRATION_TEXTS + 1
    assert {i["token_ids"].shape for i in inputs} == {(1, 6)}
    assert all(i["attention_mask"].all() for i in inputs[:-1])
    assert inputs[-1]["attention_mask"].tolist() == [[1, 1, 1, 0, 0, 0]]


def test_calibration_texts_are_padded_to_the_longest():
    inputs = calibration_inputs(Texts(2, 5, 3))

    assert [i["attention_mask"].sum() for i in inputs] == [2, 5, 3, 2]
    assert {i["token_type_ids"].shape for i in inputs} == {(1, 5)}


def test_model_computes_the_same_after_the_conversion(classifier, files, batches, expected):
    tensors = {name: tf.constant(value) for name, value in batches[1].items()}
    again = classifier(text_rows(**tensors), training=False)

    np.testing.assert_allclose(again, expected[1], atol=1e-5)


def test_missing_interpreter_is_told_how_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)

    with pytest.raises(UserError, match=r"ai-edge-litert is not installed.*\n.*tf-finetune\[exp"):
        check_interpreter()


def test_a_head_that_float16_would_cut_off_is_refused():
    head = {"classifier/bias": tf.Variable([200_000.0])}

    with pytest.raises(UserError, match=r"up to 65,504, and classifier/bias has 200,000; accepted"):
        convert(SimpleNamespace(by_path=head), LABELS, ["float16"])


def test_words_are_answered_each_and_rows_may_have_any_number_of_them(build_trained):
    model = build_trained(TAGS, encoder={"pooling": "words"})
    batch, reads = batch_of(2, 9, padding=3), np.array([[1, 2, 5, -1], [1, 3, 4, 7]], np.int32)
    tensors = {name: tf.constant(value) for name, value in batch.items()}
    read = tf.constant(np.maximum(reads, 0))
    expected = model(text_rows(**tensors, reads=read), training=False).numpy().reshape(2, 4, 3)

    (content,) = convert(model, TAGS, ["float32"]).values()
    answer = LiteRtModel(content)
    found = answer({**batch, "reads": reads})

    np.testing.assert_allclose(found[reads >= 0], expected[reads >= 0], atol=1e-5)
    assert not found[0, 3].any()
    assert np.ptp(expected, axis=1).max() > 1e-3, "the words do not differ"
    np.testing.assert_allclose(answer({**batch, "reads": reads[:, :1]}), expected[:, :1], atol=1e-5)
