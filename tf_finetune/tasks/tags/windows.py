"""Cuts a long text into overlapping windows of whole words, each word answered by one of them.

A word is answered where it has the most context: two windows that follow each other share the
words between them in the middle of their overlap. So no word is lost and none counted twice,
whatever the length of the text.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

# Of a window; a word then has context of an eighth of a window on either side at least.
_OVERLAP = 0.25
NOTHING = -1


class Window(NamedTuple):
    """A part of a text.

    Attributes:
        tokens: Its first token, and the one after its last.
        words: The first word that it answers, and the one after the last.
    """

    tokens: tuple[int, int]
    words: tuple[int, int]


def first_pieces(words: Sequence[tuple[int, int]], offsets: np.ndarray) -> np.ndarray:
    """The first token of each word, int64 [words]; `NOTHING` of a word without one.

    Args:
        words: First character of each word and the one after its last, ascending.
        offsets: The same of each token, int [tokens, 2]; ascending.
    """
    if not len(words) or not len(offsets):
        return np.full(len(words), NOTHING, np.int64)
    begins, ends = np.asarray(words, np.int64).reshape(-1, 2).T
    # Tokens may be empty, or begin with the space before their word.
    reached = np.maximum.accumulate(offsets[:, 1])
    found = np.searchsorted(reached, begins, side="right")
    inside = found < len(offsets)
    starts = offsets[np.minimum(found, len(offsets) - 1), 0]
    return np.where(inside & (starts < ends), found, NOTHING)


def windows(pieces: np.ndarray, tokens: int, room: int) -> list[Window]:
    """The windows of a text, in its order.

    Args:
        pieces: From `first_pieces`.
        tokens: Of the text.
        room: Tokens of a window at most, at least 1. A word of more tokens is cut.
    """
    if tokens <= room:
        return [Window((0, tokens), (0, len(pieces)))]
    borders = np.unique(np.append(pieces[pieces != NOTHING], tokens))
    begins, ends = [0], []
    while True:
        begin = begins[-1]
        if tokens - begin <= room:
            ends.append(tokens)
            break
        within = borders[(borders > begin) & (borders <= begin + room)]
        end = int(within[-1]) if len(within) else begin + room
        ends.append(end)
        if not len(within):  # a single word, cut: the next window begins with the next word
            after = borders[borders > begin]
            if int(after[0]) == tokens:
                break
            begins.append(int(after[0]))
            continue
        overlapping = within[(within >= end - int(room * _OVERLAP)) & (within < tokens)]
        begins.append(int(overlapping[0]) if len(overlapping) else end)
    # A word without a piece goes with the one before it.
    places = np.maximum.accumulate(np.maximum(pieces, 0))
    middles = [(b + e) / 2 for b, e in zip(begins[1:], ends[:-1], strict=True)]
    cuts = [0, *np.searchsorted(places, middles, side="left").tolist(), len(pieces)]
    return [
        Window((begin, end), (cuts[index], cuts[index + 1]))
        for index, (begin, end) in enumerate(zip(begins, ends, strict=True))
    ]
