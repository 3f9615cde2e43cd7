"""A finished run's model answers alike with and without a trace."""

import numpy as np
import pytest
import tensorflow as tf

from tf_finetune.data.batch import text_rows
from tf_finetune.encoders.tokenizers import load_tokenizer
from tf_finetune.models.building import build
from tf_finetune.models.weights import Pretrained
from tf_finetune.runs.trained_model import TrainedModel
from tf_finetune.sources.records import Record
from tf_finetune.tasks.classes import Classes
from tf_finetune.training.strategy import build_strategy

RECORDS = [
    Record(number, text, None, None)
    for number, text in enumerate(["a good film", "the plot was very very dull .", "fine"] * 6)
]


@pytest.fixture(scope="module")
def trained(tiny_encoder, spec_for):
    """A model of the tiny encoder with a head that was never trained."""
    labels = Classes(("neg", "pos"))
    spec = spec_for(tiny_encoder, labels, data={"max_length": 32})
    tokenizer = load_tokenizer(spec.files)
    return TrainedModel(spec, build(spec, Pretrained()), tokenizer, build_strategy("cpu"))


def test_untraced_and_traced_logits_differ_by_rounding(trained):
    untraced, traced = (trained.logits_of(RECORDS, 4, traced=how) for how in (False, True))

    # Three layers of 32 float32 terms a sum.
    tolerance = 32 * np.finfo(np.float32).eps * np.abs(traced).max()
    np.testing.assert_allclose(untraced, traced, rtol=0, atol=tolerance)
    assert np.ptp(traced, axis=0).min() > 100 * tolerance


def test_few_batches_are_not_traced_whatever_came_before(trained, monkeypatch):
    calls = []
    forward = TrainedModel._forward

    def counted(self, inputs):
        calls.append(len(inputs.content.ids))
        return forward(self, inputs)

    trained.logits_of(RECORDS, 1)  # eighteen batches: traced
    monkeypatch.setattr(TrainedModel, "_forward", counted)
    trained.logits_of(RECORDS, 1)
    assert calls == []

    trained.logits_of(RECORDS, 8)

    assert calls == [8, 8, 2]


PAIRS = [("the film", "was very good"), ("a plot", "bad"), ("the film was", "never dull")]


def alone(trained, *texts):
    """Logits of one text, or of one pair, by the classifier itself."""
    tokens = trained.tokenizer(*texts, return_tensors="np")
    names = {"input_ids": "token_ids"}
    batch = {names.get(n, n): tf.constant(v, tf.int32) for n, v in tokens.items()}
    return trained.classifier(text_rows(**batch), training=False).numpy()[0]


@pytest.mark.parametrize("traced", [False, True])
def test_both_texts_of_a_pair_are_read(trained, traced):
    records = [Record(row, *pair, None) for row, pair in enumerate(PAIRS)]

    logits = trained.logits_of(records, 2, traced=traced)

    expected = np.array([alone(trained, *pair) for pair in PAIRS])
    np.testing.assert_allclose(logits, expected, atol=1e-5)
    firsts = np.array([alone(trained, first) for first, _ in PAIRS])
    assert np.abs(logits - firsts).max(axis=1).min() > 1e-3
