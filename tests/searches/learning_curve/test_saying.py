"""A learning curve in sentences."""

import numpy as np

from tf_finetune.results.learning_curve import Doubled, MeasuredPoint
from tf_finetune.searches.learning_curve.saying import sentences_of


def line(*scores):
    return [MeasuredPoint(20 * 2**n, s, np.full(3, s), 1, 1.0) for n, s in enumerate(scores)]


def test_who_wins_and_where_curves_cross():
    ways = {"the head": line(0.8, 0.85, 0.9), "steps": line(0.6, 0.86, 0.91)}
    assert sentences_of(ways, "accuracy", 1.0, Doubled(0.05, 0.01, 0.09)) == (
        "With all 80 training examples steps is best: accuracy 0.910.",
        "Between 20 and 40 examples steps overtakes the head.",
        "Twice the labels may bring +0.050 (+0.010 to +0.090), if the last doublings go on; where "
        "a curve bends, less.",
    )


def test_equal_scores_are_told_as_such():
    ways = {"the head": line(0.8, 0.9), "pairs": line(0.85, 0.9)}
    assert sentences_of(ways, "accuracy", 1.0, None) == (
        "With all 40 training examples the head is best, level with pairs: accuracy 0.900.",
        "Between 20 and 40 examples the head draws level with pairs.",
    )


def test_a_doubling_whose_interval_holds_nothing_promises_nothing():
    ways = {"the head": line(0.3, 0.2)}
    said = sentences_of(ways, "loss", -1.0, Doubled(-0.1, -0.3, 0.1))
    assert said[-1].startswith(
        "Twice the labels are not sure to bring anything: +0.100 (-0.100 to +0.300)"
    )
