"""Texts are packed into rows without overlap, and batches are alike in their tokens."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tf_finetune.data.packing import (
    PackedShape,
    balanced_batches,
    pack,
    packed_batches,
    packed_shape,
)


def test_first_fit_decreasing_by_hand():
    # 6 and 4 fill a row of 10, 5 and 3 leave room for the 2.
    packed = pack([10, 11, 12, 13, 14], np.array([5, 6, 4, 3, 2]), 10)

    assert packed.examples.tolist() == [10, 11, 12, 13, 14]
    assert packed.rows.tolist() == [1, 0, 0, 1, 1]
    assert packed.starts.tolist() == [0, 0, 6, 5, 8]
    assert packed.slots.tolist() == [0, 0, 1, 1, 2]


def test_text_longer_than_a_row_is_named():
    with pytest.raises(ValueError, match="11 tokens does not fit a row of 10"):
        pack([0, 1], np.array([3, 11]), 10)


@given(st.lists(st.integers(1, 32), min_size=1, max_size=60))
def test_no_token_is_lost_or_shared(lengths):
    packed = pack(np.arange(len(lengths)), np.array(lengths), 32)

    taken = np.zeros((packed.rows.max() + 1, 32), int)
    for row, start, length in zip(packed.rows, packed.starts, lengths, strict=True):
        assert start + length <= 32
        taken[row, start : start + length] += 1
    assert taken.max() == 1
    assert taken.sum() == sum(lengths)
    for row in range(len(taken)):
        assert sorted(packed.slots[packed.rows == row]) == list(range((packed.rows == row).sum()))


def test_every_example_is_in_one_batch_and_each_has_as_many_tokens():
    lengths = np.random.default_rng(0).geometric(0.05, 1003).clip(2, 128)

    batches = balanced_batches(lengths, 32, seed=3, epoch=1)

    assert sorted(np.concatenate(batches)) == list(range(1003))
    assert sorted(map(len, batches)) == [11] + [32] * 31
    totals = [lengths[rows].sum() for rows in batches if len(rows) == 32]
    assert max(totals) - min(totals) < 0.15 * np.mean(totals)


def test_each_epoch_mixes_batches_anew_and_repeatably():
    lengths = np.arange(1, 65)
    first, again, other = (
        [set(rows) for rows in balanced_batches(lengths, 8, seed=3, epoch=epoch)]
        for epoch in (0, 0, 1)
    )

    assert first == again
    assert first != other


def test_rows_of_an_epoch_are_mostly_tokens():
    lengths = np.random.default_rng(0).geometric(0.04, 2048).clip(4, 128)

    batches = packed_batches(lengths, 64, 128, seed=0, epoch=0)
    shape = packed_shape(lengths, 64, 128, seed=0)

    assert lengths.sum() / (len(batches) * shape.rows * shape.row_length) > 0.9
    assert shape.slots % 4 == 0


def test_epochs_that_need_more_and_less_room_get_one_shape():
    lengths = np.random.default_rng(0).geometric(0.04, 300).clip(4, 128)
    epochs = [packed_batches(lengths, 128, 128, seed=0, epoch=epoch) for epoch in range(3)]
    needed = {max(batch.rows.max() + 1 for batch in batches) for batches in epochs}

    shape = packed_shape(lengths, 128, 128, seed=0)

    assert len(needed) > 1
    assert shape.rows == max(needed)
    assert {shape.holding(batches) for batches in epochs} == {shape}


def test_epoch_that_needs_more_room_gets_it():
    batches = [pack([0, 1, 2], np.array([6, 6, 2]), 10)]

    assert PackedShape(1, 4, 10).holding(batches) == PackedShape(2, 4, 10)
