"""Where the reads of packed texts stand among those of their row."""

from typing import NamedTuple

import numpy as np

from tf_finetune.data.packing import PackedBatch, PackedShape
from tf_finetune.data.splits import Split


class PlacesOfReads(NamedTuple):
    """Text after text, without gaps between them.

    Attributes:
        rows: Row of each text, int64 [n].
        starts: Place of its first read among those of its row, int64 [n].
        counts: Its reads, int64 [n].
        width: Places of a row.
        num_rows: Rows.
    """

    rows: np.ndarray
    starts: np.ndarray
    counts: np.ndarray
    width: int
    num_rows: int

    def filled(self, values: np.ndarray, empty: np.ndarray | int) -> np.ndarray:
        """Values of each text's reads where they stand.

        Args:
            values: [n, r, ...], of which each text has its first `counts`.
            empty: What stands in places without a read.

        Returns:
            [rows, width, ...].
        """
        text = np.repeat(np.arange(len(self.counts)), self.counts)
        inside = np.concatenate([np.arange(count) for count in self.counts])
        filled = np.full((self.num_rows, self.width, *values.shape[2:]), empty, values.dtype)
        filled[self.rows[text], self.starts[text] + inside] = values[text, inside]
        return filled


def places_of_reads(split: Split, batch: PackedBatch, shape: PackedShape) -> PlacesOfReads:
    """The places of the reads of a batch.

    One read a text stands in the text's slot, and so do those of all texts of one example. Where
    there are more, a row has as many places as tokens, so that every batch has the same shape.

    Args:
        split: The examples.
        batch: Where their texts stand.
        shape: Of the batch.
    """
    counts = split.read_counts[batch.examples]
    if split.task.several_texts:
        texts = split.reads.shape[1]
        starts = batch.slots * texts
        return PlacesOfReads(batch.rows, starts, counts, shape.slots * texts, shape.rows)
    if split.reads.shape[1] == 1:
        return PlacesOfReads(batch.rows, batch.slots, counts, shape.slots, shape.rows)
    order = np.lexsort((batch.slots, batch.rows))
    before = np.cumsum(counts[order]) - counts[order]
    firsts = np.searchsorted(batch.rows[order], batch.rows[order], side="left")
    starts = np.empty(len(counts), np.int64)
    starts[order] = before - before[firsts]
    return PlacesOfReads(batch.rows, starts, counts, shape.row_length, shape.rows)
