"""The states of one split at one depth: ragged, without padding, in memory or mapped."""

from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True, eq=False)
class PrefixStates:
    """What the prefix gives for every example of a split.

    Attributes:
        values: States, one example after the other, `[states, hidden]`.
        starts: Where each example begins in `values`, int64 `[n]`.
        lengths: States kept of each example, int64 `[n]`.
        depth: Frozen layers that they have passed.
        reads_only: Whether they are those of the reads alone, because the whole encoder is the
            prefix; otherwise those of all tokens.
        fill_seconds: What computing them took, whoever did; part of a run's price.
        own: Which examples' states are kept here, bool `[n]`; the others' are kept by the other
            processes of a cluster. None: all.
    """

    values: np.ndarray
    starts: np.ndarray
    lengths: np.ndarray
    depth: int
    reads_only: bool = False
    fill_seconds: float = 0.0
    own: np.ndarray | None = None

    @property
    def own_bytes(self) -> int:
        """Memory that the values take; a mapped file takes none of its own."""
        return 0 if isinstance(self.values, np.memmap) else self.values.nbytes

    def gather(self, indices: np.ndarray, pad_to: int) -> np.ndarray:
        """States of some examples, padded with zeros, `[batch, pad_to, hidden]`."""
        padded = np.zeros((len(indices), pad_to, self.values.shape[1]), self.values.dtype)
        for row, index in enumerate(indices):
            start, length = self.starts[index], self.lengths[index]
            padded[row, :length] = self.values[start : start + length]
        return padded

    def places_of_reads(self, indices: np.ndarray, reads: int) -> np.ndarray:
        """Where the reads of some examples stand among their states, int32 `[batch, reads]`.

        Of states of reads alone: all of them, and the first where an example has fewer.
        """
        places = np.arange(reads, dtype=np.int32)
        return np.where(places < self.lengths[indices][:, None], places, 0).astype(np.int32)

    def select(self, indices: np.ndarray) -> "PrefixStates":
        """The states of some examples."""
        return replace(self, starts=self.starts[indices], lengths=self.lengths[indices])

    def among(
        self, own: np.ndarray, lengths: np.ndarray, read_counts: np.ndarray
    ) -> "PrefixStates":
        """The same states, numbered as in the split of which these examples are a part.

        Args:
            own: Which examples of that split these are, bool `[n]`.
            lengths: Tokens of each of its examples, `[n]`.
            read_counts: Reads of each, `[n]`.
        """
        starts = np.full(len(own), -1, np.int64)
        starts[own] = self.starts
        kept = read_counts if self.reads_only else lengths
        return replace(self, starts=starts, lengths=kept.astype(np.int64), own=own)
