"""Cuts a text into words, each with its place: one rule for training examples and new texts.

A run of letters and digits is a word; so is each Chinese or Japanese character, and each
punctuation sign or symbol, by itself. What combines with the character before it (accents, vowel
signs, joiners, other characters of which nothing is seen) belongs to that character's word.
"""

import functools
import re
import sys
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterable

Spans = tuple[tuple[int, int], ...]

# Ideographs, radicals, kana and bopomofo: scripts without spaces whose characters are words or
# syllables.
_IDEOGRAPHIC = (
    "\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3031-\u3035\u3038-\u303b\u3041-\u3096\u309d-\u309f"
    "\u30a1-\u30fa\u30fc-\u30ff\u3105-\u312f\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003fffd"
)
_LAST_COMBINING = 0xE01EF  # the last variation selector
_SCRIPTS_END = 0x20000  # between the ideographs that begin here and the tags at 0xe0000: nothing
_TAGS_BEGIN = 0xE0000


def words_of(text: str) -> Spans:
    """The words of a text.

    Returns:
        Character offsets `(start, end)`, the end not included, in the order of the text.
    """
    return tuple(found.span() for found in _pattern().finditer(text))


def words_between(text: str, borders: Iterable[int]) -> Spans:
    """The words of a text that is also cut at some places.

    Args:
        text: The text.
        borders: Offsets at which no word may go on, as the ends of marked spans.

    Returns:
        As `words_of`.
    """
    cuts = sorted(set(borders))
    if not cuts:
        return words_of(text)
    words: list[tuple[int, int]] = []
    for start, end in words_of(text):
        inside = cuts[bisect_right(cuts, start) : bisect_left(cuts, end)]
        ends = [start, *inside, end]
        words += zip(ends, ends[1:], strict=False)
    return tuple(words)


def join_words(words: Iterable[str]) -> tuple[str, Spans]:
    """The text of words that are given one by one, with a space between them, and their places."""
    parts, spans, place = [], [], 0
    for word in words:
        parts.append(word)
        spans.append((place, place + len(word)))
        place += len(word) + 1
    return " ".join(parts), tuple(spans)


@functools.cache
def _pattern() -> re.Pattern[str]:
    combining = _class_of_combining()
    return re.compile(
        rf"[{_IDEOGRAPHIC}][{combining}]*"
        rf"|(?:(?![{_IDEOGRAPHIC}])[^\W_][{combining}]*)+"
        rf"|\S[{combining}]*"
    )


def _class_of_combining() -> str:
    """The inside of a character class: all marks and format characters, as ranges."""
    ranges: list[list[int]] = []
    last = min(_LAST_COMBINING, sys.maxunicode)
    for code in (*range(_SCRIPTS_END), *range(_TAGS_BEGIN, last + 1)):
        if unicodedata.category(chr(code)) not in ("Mn", "Mc", "Me", "Cf"):
            continue
        if ranges and ranges[-1][1] == code - 1:
            ranges[-1][1] = code
        else:
            ranges.append([code, code])
    return "".join(rf"{_escaped(first)}-{_escaped(end)}" for first, end in ranges)


def _escaped(code: int) -> str:
    return rf"\U{code:08x}"
