"""Words of rows as arrays: one line a row, or one word after the other."""

from typing import NamedTuple

import numpy as np

NO_WORD = -1


class WordTargets(NamedTuple):
    """What the targets of a tagging task hold.

    As targets they are one array, so that they are selected and kept like those of every task:
    int32 [n, words + 1], a row's tags, `NO_WORD` behind its last word, and in the last column
    whether the row goes on with the example of the row before.

    Attributes:
        tags: Number of each word's tag, `NO_WORD` behind a row's last word, int32 [n, words].
        goes_on: Whether a row goes on with the example of the row before, bool [n].
    """

    tags: np.ndarray
    goes_on: np.ndarray

    @classmethod
    def of(cls, targets: np.ndarray) -> "WordTargets":
        """From targets, [n, words + 1]."""
        goes_on = targets[:, -1] > 0
        goes_on[:1] = False
        return cls(targets[:, :-1], goes_on)

    @property
    def is_word(self) -> np.ndarray:
        """Where there is a word, bool [n, words]."""
        found: np.ndarray = self.tags != NO_WORD
        return found

    @property
    def num_examples(self) -> int:
        """Examples that the rows are of."""
        return int((~self.goes_on).sum())

    @property
    def offsets(self) -> np.ndarray:
        """First word of each example among the words of all, and their number, int64 [d + 1]."""
        of_rows = self.is_word.sum(axis=1, dtype=np.int64)
        first = np.cumsum(of_rows) - of_rows
        return np.append(first[~self.goes_on], of_rows.sum())

    @property
    def words(self) -> np.ndarray:
        """The tags of all words, one after the other, int32 [m]."""
        return self.tags[self.is_word]


def targets_of_rows(tags: np.ndarray, counts: np.ndarray, goes_on: np.ndarray) -> np.ndarray:
    """Targets, int32 [n, words + 1].

    Args:
        tags: Of all words, one after the other, int [m].
        counts: Words of each row, int [n].
        goes_on: Whether a row goes on with the example of the row before, bool [n].
    """
    width = max(1, int(counts.max(initial=0)))
    targets = np.full((len(counts), width + 1), NO_WORD, np.int32)
    targets[:, -1] = goes_on
    is_word = np.arange(width) < counts[:, None]
    targets[:, :-1][is_word] = tags
    return targets


def joined(targets: tuple[np.ndarray, ...]) -> np.ndarray:
    """Targets of several splits, one after the other, as wide as the widest."""
    width = max(one.shape[1] for one in targets)
    found = np.full((sum(map(len, targets)), width), NO_WORD, np.int32)
    row = 0
    for one in targets:
        rows = found[row : row + len(one)]
        rows[:, : one.shape[1] - 1], rows[:, -1] = one[:, :-1], one[:, -1]
        rows[:1, -1] = 0
        row += len(one)
    return found
