import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tf_finetune.data.batches import (
    epoch_batches,
    evaluation_batches,
    length_buckets,
    padded_length,
    resolve_padding,
)

lengths_of_texts = st.lists(st.integers(1, 128), max_size=300).map(lambda n: np.array(n, np.int32))
batch_sizes = st.integers(1, 40)
seeds = st.integers(0, 2**31 - 1)


@given(lengths_of_texts, batch_sizes, seeds, st.integers(0, 5), st.integers(1, 5))
def test_an_epoch_holds_every_example_once_in_one_partial_batch_at_most(
    lengths, batch_size, seed, epoch, window_batches
):
    batches = epoch_batches(
        lengths, batch_size, seed=seed, epoch=epoch, window_batches=window_batches
    )
    assert sorted(np.concatenate([[], *batches])) == list(range(len(lengths)))
    assert len(batches) == -(-len(lengths) // batch_size)
    assert all(len(batch) > 0 for batch in batches)
    assert sum(len(batch) != batch_size for batch in batches) <= 1


@given(lengths_of_texts, batch_sizes, seeds, st.integers(0, 5))
def test_an_epoch_is_a_function_of_seed_and_epoch(lengths, batch_size, seed, epoch):
    first = epoch_batches(lengths, batch_size, seed=seed, epoch=epoch)
    again = epoch_batches(lengths, batch_size, seed=seed, epoch=epoch)
    assert [batch.tolist() for batch in first] == [batch.tolist() for batch in again]


def test_the_order_of_seed_and_epoch_stays_the_same_between_releases():
    batches = epoch_batches(np.arange(1, 8, dtype=np.int32), 3, seed=7, epoch=2)
    assert [batch.tolist() for batch in batches] == [[0, 1, 2], [6], [3, 4, 5]]


def test_epochs_and_seeds_have_different_orders():
    lengths = np.random.default_rng(0).integers(1, 100, 500).astype(np.int32)
    orders = {
        tuple(np.concatenate(epoch_batches(lengths, 16, seed=seed, epoch=epoch)))
        for seed in range(4)
        for epoch in range(4)
    }
    assert len(orders) == 16


def test_texts_meet_different_texts_in_every_epoch():
    lengths = np.full(64, 10, np.int32)
    companions = {
        frozenset(batch.tolist())
        for epoch in range(3)
        for batch in epoch_batches(lengths, 8, seed=0, epoch=epoch)
    }
    assert len(companions) == 24


def test_the_partial_batch_is_not_always_of_the_longest_texts():
    lengths = np.arange(1, 102, dtype=np.int32)
    partial = [
        lengths[batch[0]]
        for epoch in range(40)
        for batch in epoch_batches(lengths, 10, seed=0, epoch=epoch)
        if len(batch) == 1
    ]
    assert len(partial) == 40
    assert 30 < np.mean(partial) < 72


def test_little_of_an_epoch_of_skewed_lengths_is_padding():
    lengths = np.random.default_rng(0).lognormal(3, 0.7, 10_000).clip(3, 128).astype(np.int32)

    def padding_share(batches):
        padded = sum(len(batch) * lengths[batch].max() for batch in batches)
        return 1 - lengths.sum() / padded

    unsorted = np.split(np.random.default_rng(1).permutation(9_984), 312)
    assert padding_share(unsorted) > 0.6
    assert padding_share(epoch_batches(lengths, 32, seed=0, epoch=0)) < 0.08
    assert padding_share(evaluation_batches(lengths, 32)) < 0.02


@given(lengths_of_texts, batch_sizes)
def test_evaluation_takes_every_example_once_longest_first(lengths, batch_size):
    batches = evaluation_batches(lengths, batch_size)
    order = np.concatenate([np.zeros(0, np.int64), *batches])
    assert sorted(order) == list(range(len(lengths)))
    assert np.all(np.diff(lengths[order]) <= 0)
    assert [len(batch) for batch in batches[:-1]] == [batch_size] * (len(batches) - 1)


def test_buckets_are_few_and_end_at_max_length():
    assert length_buckets(128) == (16, 24, 32, 48, 64, 96, 128)
    assert length_buckets(100) == (16, 24, 32, 48, 64, 96, 100)
    assert length_buckets(16) == (16,)
    assert length_buckets(7) == (7,)
    assert len(length_buckets(8192)) == 19


@pytest.mark.parametrize(
    ("longest", "padding", "expected"),
    [
        (17, "longest", 17),
        (17, "buckets", 24),
        (24, "buckets", 24),
        (3, "buckets", 16),
        (128, "buckets", 128),
        (17, "max", 128),
    ],
)
def test_a_batch_is_padded_as_asked(longest, padding, expected):
    assert padded_length(longest, padding, 128) == expected


def test_a_text_longer_than_max_length_is_refused():
    with pytest.raises(ValueError, match="129 tokens is longer than max_length 128"):
        padded_length(129, "longest", 128)


def test_automatic_padding_packs_where_xla_compiles_every_shape():
    assert resolve_padding("auto", compiles=False) == "longest"
    assert resolve_padding("auto", compiles=True) == "packed"
    assert resolve_padding("max", compiles=True) == "max"
    assert resolve_padding("auto", compiles=True, packs=False) == "buckets"
