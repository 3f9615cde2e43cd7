import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tf_finetune.data.permutation import stable_permutation
from tf_finetune.data.stratification import strata_of, take_folds, take_parts, take_sample
from tf_finetune.tasks.classes import Classes
from tf_finetune.tasks.several_classes import SeveralClasses
from tf_finetune.tasks.values import Values

strata_with_enough = st.lists(st.integers(3, 60), min_size=1, max_size=8).map(
    lambda counts: np.repeat(np.arange(len(counts)), counts)
)


@given(strata_with_enough, st.floats(0.02, 0.45), st.floats(0.02, 0.45), st.integers(0, 1000))
def test_every_part_holds_every_stratum(strata, first_share, second_share, seed):
    sizes = [max(round(share * len(strata)), 1) for share in (first_share, second_share)]
    parts = take_parts(strata, sizes, seed)
    for part in range(3):
        assert set(strata[parts == part]) == set(strata)


@given(strata_with_enough, st.data(), st.integers(0, 1000))
def test_a_sample_has_the_size_asked_for_and_every_stratum(strata, data, seed):
    size = data.draw(st.integers(int(strata.max()) + 1, len(strata)))
    sample = take_sample(strata, size, seed)
    assert sample.sum() == size
    assert set(strata[sample]) == set(strata)


@given(strata_with_enough, st.integers(2, 20), st.integers(0, 1000))
def test_folds_are_even_as_a_whole_and_in_every_stratum(strata, folds, seed):
    found = take_folds(strata, folds, seed)
    assert np.ptp(np.bincount(found, minlength=folds)) <= 1
    for stratum in set(strata):
        assert np.ptp(np.bincount(found[strata == stratum], minlength=folds)) <= 1


def test_parts_have_the_shares_of_each_stratum():
    strata = np.repeat([0, 1, 2], [700, 200, 100])
    parts = take_parts(strata, [100, 200], 0)
    assert np.bincount(parts).tolist() == [100, 200, 700]
    for part, expected in ((0, [70, 20, 10]), (1, [140, 40, 20]), (2, [490, 140, 70])):
        assert np.abs(np.bincount(strata[parts == part]) - expected).max() == 0


def test_the_first_part_does_not_depend_on_the_others():
    strata = np.repeat([0, 1], [60, 40])
    alone = take_parts(strata, [10], 3) == 0
    together = take_parts(strata, [10, 20], 3) == 0
    assert alone.tolist() == together.tolist()


def test_a_stratum_with_fewer_examples_than_parts_stays_in_the_last():
    parts = take_parts(np.array([0] * 30 + [1]), [3, 3], 0)
    assert parts[-1] == 2


def test_several_labels_are_divided_by_the_rarest():
    labels = SeveralClasses(("common", "rare"))
    targets = np.array([[1, 0], [1, 1], [0, 0], [1, 0]], np.float32)
    assert strata_of(labels, targets, most=9).tolist() == [1, 0, 2, 1]
    assert strata_of(labels, targets, most=2).tolist() == [1, 0, 1, 1]


def test_targets_are_divided_by_their_size():
    labels = Values()
    targets = np.array([5.0, 1.0, 4.0, 2.0, 3.0, 6.0], np.float32)
    assert strata_of(labels, targets, most=3).tolist() == [2, 0, 1, 0, 1, 2]
    assert len(np.unique(strata_of(labels, np.arange(100.0), most=50))) == 10


def test_classes_without_examples_are_no_strata():
    labels = Classes(("a", "b", "c"))
    assert strata_of(labels, np.array([2, 0, 2], np.int32), most=1).tolist() == [1, 0, 1]


def test_permutations_stay_the_same_between_releases():
    assert stable_permutation(6, 0).tolist() == [0, 3, 5, 1, 2, 4]
    assert stable_permutation(6, 1, 2).tolist() == [1, 3, 0, 4, 2, 5]
    assert stable_permutation(0, 1).tolist() == []
