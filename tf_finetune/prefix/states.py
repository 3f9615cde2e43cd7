"""The states of one split at one depth: ragged, without padding, in memory or mapped."""

from dataclasses import dataclass

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
    """

    values: np.ndarray
    starts: np.ndarray
    lengths: np.ndarray
    depth: int

    @property
    def first_token_only(self) -> bool:
        """Whether nothing but the first token is kept."""
        return bool((self.lengths == 1).all())

    def gather(self, indices: np.ndarray, pad_to: int) -> np.ndarray:
        """States of some examples, padded with zeros, `[batch, pad_to, hidden]`."""
        padded = np.zeros((len(indices), pad_to, self.values.shape[1]), self.values.dtype)
        for row, index in enumerate(indices):
            start, length = self.starts[index], self.lengths[index]
            padded[row, :length] = self.values[start : start + length]
        return padded

    def select(self, indices: np.ndarray) -> "PrefixStates":
        """The states of some examples."""
        return PrefixStates(self.values, self.starts[indices], self.lengths[indices], self.depth)
