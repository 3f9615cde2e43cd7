"""What a device computes is held against what it should have computed."""

import numpy as np
import pytest

from tf_finetune.preflight.device.comparison import (
    compared_values,
    differences,
    root_mean_square,
)

ARRAYS = (np.linspace(-1, 1, 100), np.linspace(0, 1e-6, 100), np.linspace(0, 1e-9, 100))
GROUPS = ("weights", "m", "m")


def found_of(arrays, loss=2.0, compared=None):
    expected = {
        "scalars": {"loss": 2.0},
        "groups": GROUPS,
        "root_mean_squares": [root_mean_square(value) for value in ARRAYS],
        "compared": compared,
    }
    values = [compared_values(value, number, compared) for number, value in enumerate(ARRAYS)]
    return differences({"loss": loss}, arrays, expected, values)


def changed(number, difference, place=50):
    arrays = [value.copy() for value in ARRAYS]
    arrays[number][place] += difference
    return arrays


def test_the_same_is_no_difference():
    assert found_of(ARRAYS) == {"loss": 0.0, "weights": 0.0, "m": 0.0}


def test_scalars_differ_by_their_share_and_weights_as_they_are():
    assert found_of(ARRAYS, loss=2.002)["loss"] == pytest.approx(1e-3)
    assert found_of(changed(0, 1e-3))["weights"] == pytest.approx(1e-3)


def test_a_slot_differs_in_shares_of_the_largest_of_its_kind():
    assert found_of(changed(1, 1e-8))["m"] == pytest.approx(1e-2)
    # The gradient of a key's bias is noise around zero, and so is that noise here.
    assert found_of(changed(2, 1e-9))["m"] == pytest.approx(1e-3)


def test_a_value_that_is_not_compared_shows_in_the_mean_square():
    some = compared_values(np.arange(100), 0, 3)
    other = next(place for place in range(100) if place not in some)

    assert found_of(changed(0, 1.0, other), compared=3)["weights"] > 1e-3


def test_what_is_no_number_is_infinitely_far():
    assert found_of(changed(0, np.nan))["weights"] == float("inf")
    assert found_of(ARRAYS, loss=np.nan)["loss"] == float("inf")
