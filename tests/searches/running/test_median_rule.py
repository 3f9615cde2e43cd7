"""Who is given up, by the median of the others at the same depth."""

import math

import pytest

from tf_finetune.results.trial import Cell, TrialResult
from tf_finetune.searches.running.median_rule import is_below_median, peers
from tf_finetune.searches.running.records import TrialRecord
from tf_finetune.searches.running.trial_request import TrialRequest


def history(*scores):
    return [{"val_f1": score} for score in scores]


@pytest.mark.parametrize(
    ("own", "others", "expected"),
    [
        (history(0.5), [], False),
        (history(0.5), [history(0.6)], True),
        (history(0.6), [history(0.6)], False),
        (history(0.5), [history(0.4), history(0.5), history(0.9)], False),
        (history(0.45), [history(0.4), history(0.5), history(0.9)], True),
        # Best against best, and the others only for as many epochs.
        (history(0.6, 0.1), [history(0.5, 0.55, 0.9)], False),
        (history(0.5, 0.5), [history(0.6, 0.7), history(0.9)], True),
        (history(0.5, 0.5), [history(0.9)], False),
        (history(None), [history(0.1)], True),
        (history(math.nan, 0.3), [history(0.1, 0.2)], False),
    ],
)
def test_best_score_so_far_is_held_against_the_median(own, others, expected):
    assert is_below_median(own, others, "val_f1", higher_is_better=True) is expected


def test_lower_is_better_for_errors():
    others = [history(0.2), history(0.3)]

    assert is_below_median(history(0.26), others, "val_f1", higher_is_better=False)
    assert not is_below_median(history(0.24), others, "val_f1", higher_is_better=False)


def record(depth, rate, *, epochs=3, status="completed"):
    cell = Cell(depth, rate)
    more = {"score": 0.5, "trainable_parameters": 1, "seconds_per_epoch": 1.0, "reason": "x"}
    result = TrialResult(cell, 0, status, **more)
    return TrialRecord(
        TrialRequest(cell, 0, epochs), "explore", result, 1.0, history(rate), f"{depth}-{rate}"
    )


def test_peers_are_the_others_at_the_depth_with_as_many_epochs():
    records = [
        record(2, 0.1),
        record(2, 0.2),
        record(2, 0.3, epochs=1),
        record(2, 0.4, status="failed"),
        record(4, 0.5),
    ]

    assert peers(TrialRequest(Cell(2, 0.1), 0, 3), records) == [history(0.2)]
