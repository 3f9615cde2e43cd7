"""LiteRT files answer as the model does, to the precision they keep."""

import sys

import numpy as np
import pytest
import tensorflow as tf

from tf_finetune.errors import UserError
from tf_finetune.export.formats import PRECISIONS
from tf_finetune.export.litert import LiteRtModel, check_interpreter, convert


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
    return [classifier(batch, training=False).numpy() for batch in tensors]


@pytest.fixture(scope="module")
def files(classifier, expected):
    return convert(classifier, PRECISIONS)


@pytest.mark.parametrize(("precision", "tolerance"), [("float32", 1e-5), ("float16", 0.05)])
def test_any_batch_gets_the_logits_of_the_model(files, batches, expected, precision, tolerance):
    model = LiteRtModel(files[precision])

    for batch, logits in zip(batches, expected, strict=True):
        np.testing.assert_allclose(model(batch), logits, atol=tolerance)


def test_int8_ranks_alike_and_is_smallest(files, batches, expected):
    model = LiteRtModel(files["int8"])

    for batch, logits in zip(batches, expected, strict=True):
        assert np.corrcoef(model(batch).ravel(), logits.ravel())[0, 1] > 0.9
    sizes = [len(files[precision]) for precision in ("float32", "float16", "int8")]
    assert sizes == sorted(sizes, reverse=True)


def test_model_computes_the_same_after_the_conversion(classifier, files, batches, expected):
    again = classifier({name: tf.constant(v) for name, v in batches[1].items()}, training=False)

    np.testing.assert_allclose(again, expected[1], atol=1e-5)


def test_missing_interpreter_is_told_how_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)

    with pytest.raises(UserError, match=r"ai-edge-litert is not installed.*\n.*tf-finetune\[exp"):
        check_interpreter()
