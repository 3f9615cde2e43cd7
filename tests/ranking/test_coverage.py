"""A batch stands for all that is doubtful: one of each cluster, the heaviest first."""

import numpy as np
import pytest

from tf_finetune.ranking import coverage
from tf_finetune.ranking.coverage import cover

DIRECTIONS = np.eye(3, 8, dtype=np.float32)


@pytest.fixture
def groups():
    """30 vectors around three directions, 5, 10 and 15 of each, the first of each in its middle."""
    noise = np.random.default_rng(0).normal(0, 0.05, (30, 8)).astype(np.float32)
    which = np.repeat([0, 1, 2], [5, 10, 15])
    noise[[0, 5, 15]] = 0
    return DIRECTIONS[which] + noise


def test_one_near_the_centre_of_each_cluster_is_taken(groups):
    found = cover(groups, np.ones(30), 3, seed=0)

    assert found.places.tolist() == [15, 5, 0]
    assert found.sizes.tolist() == [15, 10, 5]
    np.testing.assert_allclose(found.shares, [1 / 2, 1 / 3, 1 / 6])


def test_lengths_do_not_count(groups):
    longer = groups * np.linspace(1, 9, 30, dtype=np.float32)[:, None]

    assert cover(longer, np.ones(30), 3, seed=0).places.tolist() == [15, 5, 0]


def test_the_doubt_of_a_cluster_and_not_its_size_orders_it(groups):
    weights = np.repeat([1.0, 0.1, 0.1], [5, 10, 15])

    found = cover(groups, weights, 3, seed=0)

    assert found.places.tolist() == [0, 15, 5]
    np.testing.assert_allclose(found.shares, np.array([5.0, 1.5, 1.0]) / 7.5)


def test_equal_vectors_are_filled_up_by_the_heaviest_of_the_others():
    vectors = np.repeat(DIRECTIONS[:2], 3, axis=0)

    found = cover(vectors, np.array([1.0, 1, 1, 1, 9, 5]), 4, seed=0)

    assert len(set(found.places.tolist())) == 4
    assert {4, 5} <= set(found.places.tolist())
    assert sorted(found.sizes.tolist()) == [1, 1, 3, 3]


def test_no_weight_at_all_is_the_same_weight_for_each(groups):
    assert cover(groups, np.zeros(30), 3, seed=0).places.tolist() == [15, 5, 0]


def test_many_texts_are_clustered_by_parts(groups, monkeypatch):
    monkeypatch.setattr(coverage, "_MOST_DISTANCES", 10)

    found = cover(groups, np.ones(30), 3, seed=0)

    assert sorted(found.sizes.tolist()) == [5, 10, 15]
    again = cover(groups, np.ones(30), 3, seed=0)
    assert again.places.tolist() == found.places.tolist()
