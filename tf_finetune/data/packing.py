"""Several short texts in one row of fixed length, so that static shapes hold little padding.

After Krell et al. (2021), "Efficient Sequence Packing without Cross-contamination". Only index
arithmetic on lengths: nothing here reads tokens or knows TensorFlow.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tf_finetune.data.permutation import stable_permutation

# Texts a row are rounded up to a multiple, so that few shapes are compiled.
_SLOTS = 4
_SHAPING_EPOCHS = 3


@dataclass(frozen=True)
class PackedBatch:
    """Where the texts of one batch stand.

    Attributes:
        examples: Their indices, int64 [n].
        rows: Row of each, int64 [n].
        starts: Where each begins in its row, int64 [n].
        slots: Which text of its row each is, counted from 0, int64 [n].
    """

    examples: np.ndarray
    rows: np.ndarray
    starts: np.ndarray
    slots: np.ndarray


@dataclass(frozen=True)
class PackedShape:
    """What packed batches have room for.

    Attributes:
        rows: Rows.
        slots: Texts of a row.
        row_length: Tokens of a row.
    """

    rows: int
    slots: int
    row_length: int

    def holding(self, batches: Sequence[PackedBatch]) -> "PackedShape":
        """This one, or larger where the batches need it."""
        rows = max(int(batch.rows.max()) + 1 for batch in batches)
        slots = max(int(batch.slots.max()) + 1 for batch in batches)
        return replace(self, rows=max(self.rows, rows), slots=max(self.slots, packed_slots(slots)))


def packed_shape(
    lengths: np.ndarray, batch_size: int, row_length: int, *, seed: int
) -> PackedShape:
    """Room for the batches of the first epochs, and so nearly always for those of all.

    How full the fullest row is varies with the epoch, and every shape is compiled by itself.

    Args:
        lengths: Tokens of each example, int32 `[n]`.
        batch_size: Examples a batch.
        row_length: Tokens of a row.
        seed: Seed of the run.

    Raises:
        ValueError: A text is longer than a row.
    """
    shape = PackedShape(0, 0, row_length)
    for epoch in range(_SHAPING_EPOCHS):
        batches = packed_batches(lengths, batch_size, row_length, seed=seed, epoch=epoch)
        shape = shape.holding(batches)
    return shape


def packed_batches(
    lengths: np.ndarray, batch_size: int, row_length: int, *, seed: int, epoch: int
) -> tuple[PackedBatch, ...]:
    """The batches of one training epoch, as a pure function of (seed, epoch).

    Args:
        lengths: Tokens of each example, int32 `[n]`.
        batch_size: Examples a batch; one may be smaller.
        row_length: Tokens of a row.
        seed: Seed of the run.
        epoch: Number of the epoch.

    Raises:
        ValueError: A text is longer than a row.
    """
    return tuple(
        pack(rows, lengths[rows], row_length)
        for rows in balanced_batches(lengths, batch_size, seed=seed, epoch=epoch)
    )


def packed_slots(texts: int) -> int:
    """Room for texts in a row of which the fullest holds so many."""
    return -(-texts // _SLOTS) * _SLOTS


def balanced_batches(
    lengths: np.ndarray, batch_size: int, *, seed: int, epoch: int
) -> list[np.ndarray]:
    """Batches of nearly as many tokens each, so that all need nearly as many rows.

    The examples are permuted, sorted by length and dealt out like cards: every batch gets one
    of each length's stratum, and chance, anew every epoch, which.

    Returns:
        `ceil(n / batch_size)` arrays of example indices, int64, every example in exactly one.
    """
    order = stable_permutation(len(lengths), seed, epoch)
    whole = len(order) - len(order) % batch_size
    rest, order = order[whole:], order[:whole]
    order = order[np.argsort(-lengths[order].astype(np.int64), kind="stable")]
    dealt = order.reshape(batch_size, -1)
    # Which batch gets which card of a round is drawn; equal lengths are in a random order anyway,
    # but the first card of every round is the longest.
    for number, cards in enumerate(dealt):
        dealt[number] = cards[stable_permutation(len(cards), seed, epoch, 2, number)]
    batches = [*dealt.T.copy(), *([rest] if len(rest) else [])]
    return [batches[index] for index in stable_permutation(len(batches), seed, epoch, 1)]


def pack(examples: Sequence[int] | np.ndarray, lengths: np.ndarray, row_length: int) -> PackedBatch:
    """Packs texts into as few rows as first-fit decreasing finds.

    Args:
        examples: Indices of the texts.
        lengths: Tokens of each, aligned with `examples`.
        row_length: Tokens of a row.

    Raises:
        ValueError: A text is longer than a row.
    """
    if len(lengths) and int(lengths.max()) > row_length:
        raise ValueError(
            f"a text of {int(lengths.max())} tokens does not fit a row of {row_length}"
        )
    used: list[int] = []  # tokens of each row
    texts: list[int] = []  # texts of each row
    places = np.empty((3, len(lengths)), np.int64)
    for index in np.argsort(-lengths.astype(np.int64), kind="stable"):
        length = int(lengths[index])
        row = next((r for r, u in enumerate(used) if u + length <= row_length), len(used))
        if row == len(used):
            used.append(0)
            texts.append(0)
        places[:, index] = row, used[row], texts[row]
        used[row] += length
        texts[row] += 1
    return PackedBatch(np.asarray(examples, np.int64), *places)
