"""New texts whose states are others are told from those of training."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from tf_finetune.robustness.shift import Shift, _auc_and_deviation, shift_between

RNG = np.random.default_rng(0)


def test_states_of_the_same_kind_cannot_be_told_apart():
    found = shift_between(RNG.standard_normal((300, 6)), RNG.standard_normal((200, 6)), 0.95, 0)

    assert (found.known, found.new) == (300, 200)
    assert found.low < 0.5 < found.high + 0.05
    assert "cannot be told" in found.sentence or found.auc > 0.5


def test_states_that_moved_are():
    known, new = RNG.standard_normal((300, 6)), RNG.standard_normal((200, 6)) + 0.5

    found = shift_between(known, new, 0.95, 0)

    assert found.auc > 0.7 and 0.5 < found.low < found.auc < found.high < 1
    assert found.sentence.startswith("a linear model tells")
    assert shift_between(known, new, 0.95, 0) == found
    narrower = shift_between(known, new, 0.8, 0)
    assert found.low < narrower.low < narrower.high < found.high


def test_the_area_is_that_of_the_curve_and_its_deviation_that_of_many_draws():
    known, new = RNG.standard_normal(150), RNG.standard_normal(100).round(1) + 1

    auc, deviation = _auc_and_deviation(known, new)

    truth = np.repeat([0, 1], [150, 100])
    assert auc == pytest.approx(roc_auc_score(truth, np.concatenate([known, new])))
    draws = [
        roc_auc_score(
            truth, np.concatenate([RNG.standard_normal(150), RNG.standard_normal(100) + 1])
        )
        for _ in range(300)
    ]
    assert deviation == pytest.approx(np.std(draws), rel=0.25)


def test_the_sentence_says_when_nothing_can_be_told():
    assert Shift(9, 9, 0.52, 0.48, 0.56).sentence.startswith("new texts cannot be told")
