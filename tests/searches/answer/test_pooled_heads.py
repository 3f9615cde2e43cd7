"""Heads that are solved are compared on all examples that they have answered."""

from dataclasses import replace

import numpy as np
import pytest

from tf_finetune.results.trial import Cell, OutOfFold, Predictions, TrialResult
from tf_finetune.searches.answer import pooled_heads as module
from tf_finetune.searches.answer.pooled_heads import pooled_heads
from tf_finetune.tasks.classes import Classes

LABELS = Classes(("right", "wrong"))


def answers(right, wrong):
    targets = np.zeros(right + wrong, np.int32)
    return Predictions(targets, np.array([[1.0, 0.0]] * right + [[0.0, 1.0]] * wrong))


def head(layers, validation, training=None):
    return TrialResult(
        *(Cell(layers, None), 0, "completed"),
        score=0.5,
        trainable_parameters=1,
        seconds_per_epoch=1.0,
        predictions=validation,
        out_of_fold=None if training is None else OutOfFold(training, 5),
    )


FAILED = TrialResult(Cell(3, None), 0, "failed", reason="not finite")
HEADS = [head(1, answers(7, 3), answers(60, 40)), head(2, answers(6, 4), answers(80, 20))]


def test_heads_are_compared_on_validation_and_training_examples_together():
    found = pooled_heads([*HEADS, FAILED], LABELS)

    right = [(t.predictions.logits.argmax(axis=1) == 0).sum() for t in found.trials[:2]]
    assert right == [67, 86]
    assert [trial.cell for trial in found.trials] == [Cell(1, None), Cell(2, None), Cell(3, None)]
    assert (found.examples, found.folds) == (110, 6)
    assert "on 110 examples" in found.note


@pytest.mark.parametrize(
    "trials",
    [
        [],
        [FAILED],
        [*HEADS, head(3, answers(7, 3))],
        [*HEADS, replace(HEADS[0], cell=Cell(2, 1e-3), out_of_fold=None)],
    ],
    ids=["none", "failed", "a head of an earlier version", "one that trained"],
)
def test_what_has_answered_the_validation_examples_alone_is_compared_on_these(trials):
    assert pooled_heads(trials, LABELS) is None


def test_many_validation_examples_are_enough(monkeypatch):
    monkeypatch.setattr(module, "_ENOUGH_EXAMPLES", 10)

    assert pooled_heads(HEADS, LABELS) is None
