import numpy as np
import pytest

from tf_finetune.results.trial import Cell, Predictions, TrialResult


@pytest.fixture
def trial_of():
    """Builds the trial of a two-class model that is right where `right` says so."""

    def build(depth, right, *, rate=3e-4, seed=0, seconds=None, extra=(), **more):
        right = np.asarray(right, bool)
        logits = np.where(right, 1.0, -1.0)[:, None] * [1.0, -1.0]
        values = {
            "score": float(right.mean()),
            "trainable_parameters": 1000 - 100 * depth,
            "seconds_per_epoch": 10.0 - depth if seconds is None else seconds,
            "predictions": Predictions(np.zeros(len(right), np.int32), logits),
        }
        return TrialResult(Cell(depth, rate, extra), seed, "completed", **(values | more))

    return build


@pytest.fixture
def failed_trial():
    """Builds a failed trial."""

    def build(depth, *, rate=3e-4, seed=0, reason="the loss is not a number"):
        return TrialResult(Cell(depth, rate), seed, "failed", reason=reason)

    return build
