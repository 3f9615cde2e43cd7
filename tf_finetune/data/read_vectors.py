"""Vectors of what is read of rows, one after the other, and where each belongs."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np


@dataclass(frozen=True, eq=False)
class ReadVectors:
    """What a head gets of rows.

    Attributes:
        values: A vector for each read of each row, row after row, float32 [m, hidden].
        is_read: Which of its reads each row has, bool [n, r]; m are true.
    """

    values: np.ndarray
    is_read: np.ndarray

    @cached_property
    def rows(self) -> np.ndarray:
        """The row of each vector, int64 [m]."""
        return np.nonzero(self.is_read)[0]

    def select(self, rows: np.ndarray) -> "ReadVectors":
        """Those of some rows; indices, or a mask."""
        if rows.dtype == bool:
            rows = np.flatnonzero(rows)
        counts = self.is_read.sum(axis=1)
        starts = np.cumsum(counts) - counts
        taken = np.repeat(starts[rows], counts[rows])
        inside = np.arange(len(taken)) - np.repeat(
            np.cumsum(counts[rows]) - counts[rows], counts[rows]
        )
        return ReadVectors(self.values[taken + inside], self.is_read[rows])


def laid_out(values: np.ndarray, is_read: np.ndarray) -> np.ndarray:
    """Values of each read by row, 0 where a row has no read.

    Args:
        values: Of each read, row after row, [m, width].
        is_read: Which of its reads each row has, bool [n, r].

    Returns:
        [n, r * width].
    """
    found = np.zeros((*is_read.shape, values.shape[1]), values.dtype)
    found[is_read] = values
    return found.reshape(len(is_read), -1)


def stacked(parts: Sequence[np.ndarray]) -> np.ndarray:
    """Arrays [n, width] one below the other, as wide as the widest, 0 behind shorter rows."""
    width = max(part.shape[1] for part in parts)
    found = np.zeros((sum(map(len, parts)), width), parts[0].dtype)
    row = 0
    for part in parts:
        found[row : row + len(part), : part.shape[1]] = part
        row += len(part)
    return found
