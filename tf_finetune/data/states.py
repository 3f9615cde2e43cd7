"""The states of one split at one depth: ragged, without padding, in memory or mapped."""

from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True, eq=False)
class PrefixStates:
    """What the prefix gives for every example of a split.

    Attributes:
        values: States of all tokens, one example after the other, `[tokens, hidden]`.
        starts: Where each example begins in `values`, int64 `[n]`.
        lengths: Tokens kept of each example, int64 `[n]`: all of them, or the first alone where
            the whole encoder is the prefix.
        depth: Frozen layers that they have passed.
        fill_seconds: What computing them took, whoever did; part of a run's price.
        own: Which examples' states are kept here, bool `[n]`; the others' are kept by the other
            processes of a cluster. None: all.
    """

    values: np.ndarray
    starts: np.ndarray
    lengths: np.ndarray
    depth: int
    fill_seconds: float = 0.0
    own: np.ndarray | None = None

    @property
    def first_token_only(self) -> bool:
        """Whether nothing but the first token is kept."""
        return bool((self.lengths == 1).all())

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

    def select(self, indices: np.ndarray) -> "PrefixStates":
        """The states of some examples."""
        return replace(self, starts=self.starts[indices], lengths=self.lengths[indices])

    def among(self, own: np.ndarray, lengths: np.ndarray) -> "PrefixStates":
        """The same states, numbered as in the split of which these examples are a part.

        Args:
            own: Which examples of that split these are, bool `[n]`.
            lengths: Tokens of each of its examples, `[n]`.
        """
        starts = np.full(len(own), -1, np.int64)
        starts[own] = self.starts
        kept = np.ones_like(starts) if self.first_token_only else lengths.astype(np.int64)
        return replace(self, starts=starts, lengths=kept, own=own)
