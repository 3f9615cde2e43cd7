"""Learning curves: who wins where, where curves cross, and what twice the labels would bring."""

import numpy as np
import pytest

from tf_finetune.results.learning_curve import (
    LearningCurve,
    MeasuredPoint,
    WayCurve,
    best_at,
    crossings,
    doubling,
)


def line(*scores, start=100, spread=0.0):
    noise = spread * np.linspace(-1, 1, 41)
    return [
        MeasuredPoint(start * 2**n, score, score + noise * (1 if n % 2 else -1), 2, 1.0)
        for n, score in enumerate(scores)
    ]


def test_the_best_way_is_that_of_the_size_asked_for():
    ways = {"head": line(0.6, 0.65), "steps": line(0.5, 0.7)}
    assert best_at(ways, 100, 1.0) == "head"
    assert best_at(ways, 200, 1.0) == "steps"
    assert best_at(ways, 200, -1.0) == "head"
    assert best_at(ways, 300, 1.0) is None


def test_curves_cross_between_two_sizes():
    ways = {"head": line(0.6, 0.65, 0.66), "steps": line(0.5, 0.62, 0.7)}
    assert crossings(ways, 1.0) == [("head", "steps", 200, 400)]
    assert crossings({"head": line(0.6, 0.7)}, 1.0) == []


def test_who_was_not_tried_with_more_labels_is_not_overtaken():
    ways = {"pairs": line(0.7, 0.75), "steps": line(0.5, 0.62, 0.7)}
    assert crossings(ways, 1.0) == []


def test_twice_the_labels_bring_what_the_last_doublings_brought():
    found = doubling(line(0.1, 0.5, 0.55, 0.6))
    assert found.change == pytest.approx(0.05)
    assert (found.low, found.high) == (pytest.approx(0.05), pytest.approx(0.05))
    assert doubling(line(0.5)) is None


def test_the_interval_of_a_doubling_is_that_of_its_resamples():
    # Two points whose scores move against each other: the difference moves twice as far.
    found = doubling(line(0.5, 0.6, spread=0.1))
    ends = np.percentile(0.1 + 0.2 * np.linspace(-1, 1, 41), [2.5, 97.5])
    assert (found.low, found.high) == (pytest.approx(ends[0]), pytest.approx(ends[1]))


def test_a_curve_is_written_with_all_its_points():
    points = tuple(one.point for one in line(0.5, 0.6))
    curve = LearningCurve("accuracy", (WayCurve("head", points),), None, ("a sentence.",))
    assert curve.to_dict() == {
        "metric": "accuracy",
        "ways": [
            {
                "way": "head",
                "points": [
                    {"examples": n, "score": s, "low": s, "high": s, "draws": 2, "seconds": 1.0}
                    for n, s in ((100, 0.5), (200, 0.6))
                ],
            }
        ],
        "doubled": None,
        "sentences": ["a sentence."],
    }
    assert curve.ways[0].at(200).score == 0.6
    assert curve.ways[0].at(300) is None
