"""The threshold with the best micro F1, and how scores and answers follow it."""

import numpy as np
import pytest
from scipy import special
from sklearn.metrics import f1_score

from tf_finetune.errors import UserError
from tf_finetune.evaluation.threshold import choose_threshold
from tf_finetune.tasks.classes import Classes
from tf_finetune.tasks.several_classes import SeveralClasses

TWO = SeveralClasses(("red", "green"))


def chosen(targets, chances):
    """The threshold, where labels of two columns have these probabilities."""
    return choose_threshold(TWO, np.array(targets, np.float32), special.logit(chances))


@pytest.mark.parametrize(
    ("targets", "chances", "threshold"),
    [
        # All right with 0.2 and 0.3 on one side and 0.1 on the other.
        ([[1, 0], [0, 1]], [[0.3, 0.1], [0.1, 0.2]], 0.15),
        ([[1, 0], [0, 0]], [[0.98, 0.9], [0.8, 0.1]], 0.94),
        # Any from 0.4 to 0.9 will do.
        ([[1, 0], [0, 1]], [[0.95, 0.4], [0.4, 0.9]], 0.5),
        # 0.3 parts two of two from three, 0.7 one of one from two: F1 is 4/5 either way.
        ([[1, 0], [1, 0]], [[0.8, 0.6], [0.31, 0.29]], 0.3),
        # Everything applies; nothing does.
        ([[1, 1], [1, 1]], [[0.2, 0.1], [0.3, 0.4]], 0.05),
        ([[0, 0], [0, 0]], [[0.6, 0.7], [0.3, 0.4]], 0.5),
    ],
)
def test_the_threshold_is_the_one_worked_out_by_hand(targets, chances, threshold):
    assert chosen(targets, chances) == pytest.approx(threshold)


def test_it_is_written_in_few_digits():
    found = chosen([[1, 0], [0, 1]], [[0.41237, 0.20001], [0.1, 0.39118]])

    assert found == 0.3


def test_no_other_threshold_scores_better():
    generator = np.random.default_rng(4)
    logits = generator.normal(-2.0, 1.5, (200, 5)).astype(np.float32)
    targets = (generator.random((200, 5)) < special.expit(1.5 * logits + 1)).astype(np.float32)
    labels = SeveralClasses(tuple("abcde"))

    found = labels.decided_at(choose_threshold(labels, targets, logits))

    best = max(
        f1_score(targets, special.expit(logits) > cut, average="micro", zero_division=0)
        for cut in np.linspace(0.001, 0.999, 999)
    )
    assert found.score(targets, logits)["micro_f1"] >= best
    assert found.score(targets, logits)["micro_f1"] > labels.score(targets, logits)["micro_f1"]


def test_probabilities_that_rounding_may_swap_are_not_parted():
    found = chosen([[1, 0], [0, 0]], [[0.3 + 1e-8, 0.3], [0.1, 0.1]])

    assert found == pytest.approx(0.2)


def test_outputs_that_are_no_numbers_have_no_threshold():
    logits = np.array([[np.nan, 1.0]])

    assert choose_threshold(TWO, np.ones((1, 2), np.float32), logits) == 0.5


def test_a_label_applies_above_the_threshold():
    logits = special.logit([[0.2, 0.31], [0.3, 0.9]]) + 1e-9

    np.testing.assert_array_equal(TWO.decided_at(0.3).predicted(logits), [[0, 1], [1, 1]])
    np.testing.assert_array_equal(TWO.predicted(logits), [[0, 0], [0, 1]])
    np.testing.assert_array_equal(TWO.predicted(np.array([[0.0, 1e-7]])), [[0, 1]])


def test_only_several_labels_are_decided_at_a_threshold():
    labels = Classes(("a", "b"))

    assert labels.decided_at(0.5) == labels
    assert TWO.decided_at(0.3).decided_at("auto").threshold == 0.3
    for threshold in (0.3, "auto"):
        with pytest.raises(UserError, match=rf"threshold: received {threshold} for a single_label"):
            labels.decided_at(threshold)
