"""Pairs of texts with the same label or with different ones, a pure function of seed and step."""

from functools import lru_cache

import numpy as np


class PairDraws:
    """Draws the pairs of any step by itself, so none are kept.

    Every second pair is of one label and the others of two. The texts that begin pairs come in
    random orders of all texts, one order after the other; their partners are drawn evenly. A text
    that is alone with its label is its own partner.

    Args:
        targets: Encoded labels of n texts; equal rows are the same label. There are at least two.
        seed: Of the draws.
    """

    def __init__(self, targets: np.ndarray, seed: int):
        rows = targets.reshape(len(targets), -1)
        _, label, counts = np.unique(rows, axis=0, return_inverse=True, return_counts=True)
        self._label = label.reshape(-1)
        self._counts = counts
        self._starts = np.cumsum(counts) - counts
        self._by_label = np.argsort(self._label, kind="stable")
        self._rank = np.empty(len(rows), np.int64)
        self._rank[self._by_label] = np.arange(len(rows))
        self._seed = seed
        self._order = lru_cache(maxsize=2)(self._order_of_pass)

    def of_step(self, step: int, count: int) -> np.ndarray:
        """The texts of a step, int64 [2 * count]: those of a pair stand beside each other.

        Args:
            step: Counted from 0.
            count: Pairs of every step.
        """
        numbers = step * count + np.arange(count)
        first = self._beginning(numbers // 2)
        drawn = np.random.default_rng([self._seed, 1, step]).random(count)
        second = np.where(numbers % 2 == 0, self._alike(first, drawn), self._unlike(first, drawn))
        return np.stack([first, second], axis=1).reshape(-1)

    def _beginning(self, numbers: np.ndarray) -> np.ndarray:
        """The text that begins each pair of a kind, by the number of the pair."""
        passes, places = np.divmod(numbers, len(self._label))
        return np.array(
            [self._order(int(one))[place] for one, place in zip(passes, places, strict=True)],
            np.int64,
        )

    def _order_of_pass(self, number: int) -> np.ndarray:
        return np.random.default_rng([self._seed, 0, number]).permutation(len(self._label))

    def _alike(self, first: np.ndarray, drawn: np.ndarray) -> np.ndarray:
        """For each text another of its label; `drawn` are numbers from 0 to 1."""
        label = self._label[first]
        start, others = self._starts[label], self._counts[label] - 1
        away = np.minimum(1 + (drawn * others).astype(np.int64), others)
        return self._by_label[start + (self._rank[first] - start + away) % (others + 1)]

    def _unlike(self, first: np.ndarray, drawn: np.ndarray) -> np.ndarray:
        """For each text one of another label."""
        label, num_texts = self._label[first], len(self._label)
        behind = self._starts[label] + self._counts[label]
        others = num_texts - self._counts[label]
        away = np.minimum((drawn * others).astype(np.int64), others - 1)
        return self._by_label[(behind + away) % num_texts]
