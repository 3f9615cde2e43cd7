"""The calibration error, its bins, and accuracy against coverage, worked out by hand."""

import numpy as np
import pytest
from scipy import special

from tf_finetune.evaluation.calibration import calibration_of, coverage, reliability
from tf_finetune.tasks.choices import Choices
from tf_finetune.tasks.classes import Classes
from tf_finetune.tasks.relations import Relations
from tf_finetune.tasks.several_classes import SeveralClasses
from tf_finetune.tasks.values import Values

TWO = Classes(("no", "yes"))


def log_of(*chances):
    """Logits of two classes, of which the first has these probabilities."""
    return np.log(np.array([(chance, 1 - chance) for chance in chances]))


def test_the_error_is_the_mean_distance_of_confidence_and_accuracy():
    found = reliability(TWO, np.array([0, 0, 1, 1]), log_of(0.9, 0.92, 0.91, 0.3))

    # 0.9, 0.91 and 0.92 share a bin and two of them are right; 0.7 is right and alone.
    assert [(one.count, one.accuracy) for one in found.bins] == [
        (1, 1.0),
        (3, pytest.approx(2 / 3)),
    ]
    assert found.bins[1].confidence == pytest.approx(0.91)
    assert found.error == pytest.approx((0.3 + 3 * (0.91 - 2 / 3)) / 4)
    assert found.loss == pytest.approx(-np.log([0.9, 0.92, 0.09, 0.7]).mean())


def test_a_confidence_of_one_is_in_the_last_bin():
    found = reliability(TWO, np.array([0]), np.array([[800.0, 0.0]]))
    assert (found.error, found.bins[0].high) == (0.0, 1.0)


def test_before_is_the_model_without_its_temperature():
    targets, logits = np.array([0, 1]), log_of(0.8, 0.6)
    found = calibration_of(TWO.calibrated_at(2.0), targets, logits)
    assert found.before == reliability(TWO, targets, logits * 2)
    assert found.after == reliability(TWO, targets, logits)
    assert "without the temperature 2" in found.sentence()


def test_there_is_no_before_without_a_temperature_or_of_several_models():
    targets, logits = np.array([0, 1]), log_of(0.8, 0.6)
    assert calibration_of(TWO, targets, logits).before is None
    assert calibration_of(TWO.calibrated_at(2.0), targets, logits, averaged=True).before is None


def test_the_surest_answers_come_first_and_equal_ones_together():
    confidence = np.array([0.5, 0.9, 0.7, 0.7])
    found = coverage(confidence, np.array([False, True, True, False]))
    assert [(one.share, one.confidence, one.accuracy) for one in found] == [
        (0.25, 0.9, 1.0),
        (0.75, 0.7, pytest.approx(2 / 3)),
        (1.0, 0.5, 0.5),
    ]


def test_a_long_curve_has_a_hundred_points_and_ends_with_all():
    found = coverage(np.linspace(0.5, 1, 5000), np.ones(5000, bool))
    assert (len(found), found[-1].share) == (100, 1.0)


def test_several_labels_are_decisions_and_an_answer_is_as_sure_as_its_least_sure():
    labels = SeveralClasses(("red", "green"))
    logits = special.logit([[0.9, 0.4], [0.2, 0.1]])
    targets = np.array([[1, 1], [0, 0]], np.float32)
    confidence, right = labels.decisions(targets, logits)
    np.testing.assert_allclose(confidence, [0.9, 0.6, 0.8, 0.9])
    assert right.tolist() == [True, False, True, True]
    np.testing.assert_allclose(labels.certainty(logits), [0.6, 0.8])
    assert labels.right(targets, logits).tolist() == [False, True]
    # What applies above 0.3 applies with 0.4.
    np.testing.assert_allclose(labels.decided_at(0.3).certainty(logits), [0.4, 0.8])


def test_numbers_and_choices_have_none():
    assert calibration_of(Values(), np.zeros(2), np.zeros((2, 1))) is None
    assert not Choices(("0", "1")).calibrates
    assert Relations(("a", "b")).calibrates
