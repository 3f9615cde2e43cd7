"""The distance of late texts from training's."""

import math

import numpy as np
import pytest

from tf_finetune.serving.drift import Distribution, DriftWatch


def test_bins_of_numbers_hold_equally_many():
    found = Distribution.of_numbers(np.arange(100), bins=4)
    assert found.edges == (24.75, 49.5, 74.25)
    assert found.shares == (0.25, 0.25, 0.25, 0.25)
    assert [found.bin_of(value) for value in (0, 24.75, 25, 1000)] == [0, 0, 1, 3]


def test_repeated_numbers_share_a_bin():
    found = Distribution.of_numbers(np.array([5, 5, 5, 5, 9]), bins=10)
    assert sum(found.shares) == pytest.approx(1)
    assert found.shares[found.bin_of(5)] == pytest.approx(0.8)


def test_distance_is_the_stability_index():
    watch = DriftWatch({"label": Distribution.of_names(("a", "b"), (3, 1))})
    assert math.isnan(watch.distances()["label"])

    watch.observe("label", ["a", "b", "a", "b"])

    expected = (0.5 - 0.75) * math.log(0.5 / 0.75) + (0.5 - 0.25) * math.log(0.5 / 0.25)
    assert watch.distances()["label"] == pytest.approx(expected)
    assert watch.counts() == {"label": 4}


def test_same_distribution_is_near_and_another_far():
    generator = np.random.default_rng(0)
    watch = DriftWatch({"characters": Distribution.of_numbers(generator.normal(0, 1, 2000))})

    watch.observe("characters", generator.normal(0, 1, 1000).tolist())
    assert watch.distances()["characters"] < 0.05
    watch.observe("characters", generator.normal(1, 1, 1000).tolist())
    assert watch.distances()["characters"] > 0.5


def test_window_forgets_and_unwatched_quantities_pass():
    watch = DriftWatch({"label": Distribution.of_names(("a", "b"), (1, 1))}, window_texts=2)
    watch.observe("label", ["a", "a", "a", "b"])
    watch.observe("confidence", [0.5])
    assert watch.counts() == {"label": 2}
    assert watch.distances()["label"] == pytest.approx(0)


def test_distribution_is_read_as_it_was_written():
    from dataclasses import asdict

    one = Distribution.of_numbers(np.arange(10))
    assert Distribution.from_dict(asdict(one)) == one
