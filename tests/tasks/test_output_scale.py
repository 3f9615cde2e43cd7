"""Targets of a regression are standardised, and the head can be moved between both scales."""

import numpy as np
import pytest

from tf_finetune.encoders.variables import Variable
from tf_finetune.tasks.classes import Classes
from tf_finetune.tasks.output_scale import OutputScale
from tf_finetune.tasks.values import Values

NUMBER = Values()
KERNEL = Variable("classifier/kernel", "classifier.weight", (4, 1), "head", "kernel")
BIAS = Variable("classifier/bias", "classifier.bias", (1,), "head", "bias")


def test_mean_and_deviation_are_those_of_the_population():
    scale = NUMBER.scale(np.array([1, 2, 3, 6], np.float32))

    assert scale == OutputScale(3.0, float(np.float32(np.sqrt(3.5))))


def test_sums_of_many_large_targets_do_not_round():
    targets = np.tile(np.array([999_999, 1_000_001], np.float32), 100_000)

    assert NUMBER.scale(targets) == OutputScale(1e6, 1.0)


def test_for_a_head_without_a_bias_nothing_is_taken_away():
    scale = NUMBER.scale(np.array([1, 2, 3, 6], np.float32), centred=False)

    assert scale == OutputScale(0.0, float(np.float32(np.sqrt(12.5))))


def test_classes_have_no_scale():
    assert Classes(("a", "b")).scale(np.array([0, 1])) is None


def test_equal_targets_are_not_divided_by_zero():
    assert NUMBER.scale(np.full(3, 7, np.float32)) == OutputScale(7.0, 1.0)


@pytest.mark.parametrize(
    "scale", [OutputScale(50, 25), OutputScale(1e6, 1), OutputScale(0.5, 1e-3)]
)
def test_a_folded_head_answers_what_the_standardised_one_stands_for(scale):
    kernel = np.array([[0.02], [-0.3], [0.1], [0.0]], np.float32)
    bias = np.array([0.25], np.float32)
    pooled = np.array([[1, 1, 1, 1], [-1, 0.5, 0, 2]], np.float64)

    folded = pooled @ scale.folded(KERNEL, kernel) + scale.folded(BIAS, bias)

    expected = (pooled @ kernel + bias) * scale.deviation + scale.mean
    np.testing.assert_allclose(folded, expected, rtol=np.finfo(np.float32).eps)
    back = scale.standardised(KERNEL, scale.folded(KERNEL, kernel))
    np.testing.assert_allclose(back, kernel, rtol=2 * np.finfo(np.float32).eps)


@pytest.mark.parametrize(
    ("other", "far"),
    [
        (OutputScale(2.6, 1.4), False),
        (OutputScale(4.5, 0.3), False),
        (OutputScale(0.52, 0.3 / 2), True),  # 0 to 1
        (OutputScale(52.0, 30.0), True),  # 0 to 100
        (OutputScale(1002.6, 1.5), True),
    ],
)
def test_other_units_are_told_from_other_examples(other, far):
    scale = OutputScale(2.6, 1.5)

    assert scale.is_far_from(other) is other.is_far_from(scale) is far
