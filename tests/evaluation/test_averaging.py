"""Averaged answers are the mean of probabilities, as logits that every score can read."""

import numpy as np
import pytest

from tf_finetune.evaluation.averaging import averaged_logits
from tf_finetune.tasks.classes import Classes
from tf_finetune.tasks.several_classes import SeveralClasses
from tf_finetune.tasks.values import Values

SINGLE = Classes(("a", "b", "c"))
SEVERAL = SeveralClasses(("a", "b"))


def test_probabilities_of_one_label_are_averaged_and_not_logits():
    one, other = [[0.98, 0.01, 0.01]], [[0.2, 0.7, 0.1]]

    mean = averaged_logits(SINGLE, [np.log(one), np.log(other)])

    assert mean.dtype == np.float32
    assert SINGLE.probabilities(mean)[0] == pytest.approx([0.59, 0.355, 0.055], rel=1e-6)


def test_logits_that_differ_by_a_constant_are_the_same_answer():
    logits = np.array([[1.0, 2.0, 0.0]])

    mean = averaged_logits(SINGLE, [logits, logits + 7.0])

    assert SINGLE.probabilities(mean) == pytest.approx(SINGLE.probabilities(logits), rel=1e-6)


def test_each_of_several_labels_is_averaged_for_itself():
    one, other = np.array([[0.9, 0.2]]), np.array([[0.3, 0.4]])

    mean = averaged_logits(SEVERAL, [np.log(p / (1 - p)) for p in (one, other)])

    assert SEVERAL.probabilities(mean)[0] == pytest.approx([0.6, 0.3], rel=1e-6)
    assert SEVERAL.predicted(mean).tolist() == [[1.0, 0.0]]


def test_numbers_are_averaged():
    found = averaged_logits(Values(), [np.array([[1.0]]), np.array([[4.0]])])

    assert found.tolist() == [[2.5]]


@pytest.mark.parametrize("labels", [SINGLE, SEVERAL])
def test_models_that_are_entirely_sure_have_finite_logits(labels):
    sure = np.array([[1e4, -1e4, -1e4]])[:, : labels.num_outputs]
    largest = np.sign(sure) * np.finfo(np.float32).max

    for one in (sure, largest):
        alike = averaged_logits(labels, [one, one])
        against = averaged_logits(labels, [one, -one])

        assert np.isfinite(alike).all() and np.isfinite(against).all()
        assert labels.predicted(alike).tolist() == labels.predicted(one).tolist()
    assert labels.probabilities(against)[0, 0] == pytest.approx(0.5, rel=1e-6)


def test_a_model_without_numbers_is_not_hidden_by_the_others():
    found = averaged_logits(SEVERAL, [np.array([[0.0, np.nan]]), np.array([[0.0, 0.0]])])

    assert np.isnan(found).tolist() == [[False, True]]
