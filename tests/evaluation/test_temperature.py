"""The temperature with the least loss on some examples, and when there is none."""

import numpy as np
import pytest
from scipy import special

from tf_finetune.evaluation.temperature import fit_joint_temperature, fit_temperature
from tf_finetune.tasks.classes import Classes
from tf_finetune.tasks.several_classes import SeveralClasses

TWO = Classes(("no", "yes"))


def test_it_makes_confidence_the_share_that_is_right():
    # Three of four are right, all with logits 4 apart: 0.75 wants log 3.
    logits = np.array([[4.0, 0.0]] * 4)
    found = fit_temperature(TWO, np.array([0, 0, 0, 1]), logits)
    assert found.value == pytest.approx(4 / np.log(3))
    assert found.sentence.startswith("temperature 3.64: on the 4 validation examples the loss is")


def test_several_labels_are_scaled_together():
    labels = SeveralClasses(("red", "green"))
    logits = np.array([[2.0, -2.0]] * 5)
    targets = np.array([[1, 0]] * 4 + [[0, 1]], np.float32)
    found = fit_temperature(labels, targets, logits)
    assert special.expit(2 / found.value) == pytest.approx(0.8)


def test_no_other_temperature_has_a_smaller_loss():
    generator = np.random.default_rng(2)
    labels = Classes(tuple("abcd"))
    logits = generator.normal(0, 3, (300, 4))
    targets = np.array([generator.choice(4, p=special.softmax(row / 2)) for row in logits])
    value = fit_temperature(labels, targets, logits).value
    losses = [
        labels.losses_and_slopes(targets, logits / by)[0].mean()
        for by in (value, *np.geomspace(0.1, 10, 200))
    ]
    assert min(losses) == losses[0]


@pytest.mark.parametrize(
    ("targets", "logits", "why"),
    [
        ([0, 1], [[2.0, 0.0], [0.0, 3.0]], "all 2 validation examples are answered right"),
        ([1, 0], [[2.0, 0.0], [0.0, 3.0]], "worse than one that says nothing"),
        ([0, 1], [[np.nan, 0.0], [0.0, 3.0]], "outputs are NaN or infinite"),
        # Wrong by so little that nothing but a temperature of about 0 would be too sure.
        ([0, 0], [[0.5, 0.0], [0.0, 1e-9]], "still falls at 0.05"),
    ],
)
def test_a_temperature_that_would_not_end_stays_1_and_says_why(targets, logits, why):
    found = fit_temperature(TWO, np.array(targets), np.array(logits))
    assert found.value == 1
    assert why in found.sentence


def test_one_temperature_for_several_models_is_that_of_their_average():
    # Equal models average to themselves.
    targets, logits = np.array([0, 0, 0, 1]), np.array([[4.0, 0.0]] * 4)
    found = fit_joint_temperature(TWO, targets, [logits, logits])
    assert found == pytest.approx(4 / np.log(3), rel=1e-4)
    assert fit_joint_temperature(TWO, np.zeros(4, int), [logits, logits]) == 1
