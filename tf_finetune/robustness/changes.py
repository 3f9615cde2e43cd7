"""Ways to change a text: pure functions of the text and a seed.

They know letters, digits and punctuation of any script by their Unicode classes. A text that has
nothing of what one changes, such as case in Chinese, comes back as it was.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from tf_finetune.robustness.draws import drawn
from tf_finetune.robustness.word_lists import WordList
from tf_finetune.sources.words import words_of

_FEWEST_LETTERS = 4  # of a word with a typo, whose first and last letter stay
_INSIDE_WORDS = frozenset(".,:/@_-'’")  # punctuation that belongs to a word between two letters
_APOSTROPHES = frozenset("'’")


class Change(Protocol):
    """One way to change a text."""

    def __call__(self, text: str, seed: str) -> str:
        """The changed text, or the text as it was where there is nothing to change."""


@dataclass(frozen=True)
class Typos:
    """Slips of the fingers inside words: two letters swapped, one left out or one doubled.

    Attributes:
        count: In how many words of a text.
    """

    count: int = 1

    def __call__(self, text: str, seed: str) -> str:
        """See `Change`."""
        words = [
            (start, end)
            for start, end in words_of(text)
            if end - start >= _FEWEST_LETTERS and text[start:end].isalpha()
        ]
        order = sorted(words, key=lambda word: drawn(2**32, seed, "word", str(word[0])))
        for start, end in sorted(order[: self.count], reverse=True):
            text = text[:start] + _slip(text[start:end], f"{seed}:{start}") + text[end:]
        return text


def _slip(word: str, seed: str) -> str:
    swapped = [place for place in range(1, len(word) - 2) if word[place] != word[place + 1]]
    kinds = ("drop", "double", "swap")[: 3 if swapped else 2]
    kind = kinds[drawn(len(kinds), seed, "kind")]
    places = swapped if kind == "swap" else range(1, len(word) - 1)
    place = places[drawn(len(places), seed, "place")]
    if kind == "drop":
        return word[:place] + word[place + 1 :]
    if kind == "double":
        return word[:place] + word[place] + word[place:]
    return word[:place] + word[place + 1] + word[place] + word[place + 2 :]


@dataclass(frozen=True)
class Case:
    """Every letter in one case.

    Attributes:
        to: Which.
    """

    to: Literal["lower", "upper", "title"]

    def __call__(self, text: str, seed: str) -> str:
        """See `Change`."""
        if self.to == "title":
            return re.sub(r"[^\W\d_]+(?:['’]\w+)*", lambda word: word[0].capitalize(), text)
        return text.lower() if self.to == "lower" else text.upper()


@dataclass(frozen=True)
class Punctuation:
    """Punctuation left out or put at the end.

    Attributes:
        to: `none` leaves out all but what stands inside words and numbers; `other_end` leaves out
            the signs at the end of the text, or puts a full stop where there are none.
    """

    to: Literal["none", "other_end"]

    def __call__(self, text: str, seed: str) -> str:
        """See `Change`."""
        if self.to == "none":
            kept = (
                c for place, c in enumerate(text) if not _is_punctuation(c) or _belongs(text, place)
            )
            return re.sub(r"(\s)\s+", r"\1", "".join(kept)).strip()
        end = len(text.rstrip())
        start = end
        while start and _is_punctuation(text[start - 1]):
            start -= 1
        if start < end:
            return text[:start].rstrip()
        is_wide = unicodedata.east_asian_width(text[end - 1]) == "W"
        return text[:end] + ("。" if is_wide else ".")


def _is_punctuation(character: str) -> bool:
    return unicodedata.category(character).startswith("P")


def _belongs(text: str, place: int) -> bool:
    """Whether a sign is a part of the word or the number around it."""
    after = text[place + 1 : place + 2].isalnum()
    if text[place] in _APOSTROPHES:
        return after
    return after and text[place] in _INSIDE_WORDS and place > 0 and text[place - 1].isalnum()


@dataclass(frozen=True)
class Numbers:
    """Every number another of as many digits, the same one wherever it stands."""

    def __call__(self, text: str, seed: str) -> str:
        """See `Change`."""
        return re.sub(r"\d+", lambda found: _other_number(found[0], seed), text)


def _other_number(number: str, seed: str) -> str:
    digits = [unicodedata.decimal(digit) for digit in number]
    zero = ord(number[0]) - digits[0]  # of its script
    lowest = 10 ** (len(digits) - 1) if len(digits) > 1 else 0
    span = 10 ** len(digits) - lowest
    old = int("".join(map(str, digits)))
    # From the other numbers of this length, of which the old one may be none: it may begin with 0.
    new = lowest + drawn(span, seed, "number", number)
    if new == old:
        new = lowest + (new - lowest + 1) % span
    return "".join(chr(zero + int(digit)) for digit in str(new))


@dataclass(frozen=True)
class Swap:
    """Words of a list replaced by others of it; see `WordList`.

    Attributes:
        words: The list.
        most: Places that are replaced at most; None: all.
    """

    words: WordList
    most: int | None = None

    def __call__(self, text: str, seed: str) -> str:
        """See `Change`."""
        return self.words.replaced(text, seed, self.most)


@dataclass(frozen=True)
class Add:
    """A text put before or behind.

    Attributes:
        before: What is put before; a space follows it.
        after: What is put behind; a space comes before it.
    """

    before: str = ""
    after: str = ""

    def __call__(self, text: str, seed: str) -> str:
        """See `Change`."""
        return " ".join(part for part in (self.before, text, self.after) if part)


def changed_but_for(change: Change, text: str, seed: str, kept: Sequence[str]) -> str:
    """The changed text, whose words of a task's own stay where they are.

    Args:
        change: How it is changed.
        text: The text.
        seed: Of the text.
        kept: Words that stay, such as the markers of entities; where a change would touch one,
            the text comes back as it was.
    """
    found = change(text, seed)
    if not kept:
        return found

    def markers(one: str) -> list[str]:
        return [word for word in one.split() if word in kept]

    if markers(found) == markers(text):
        return found
    # What stands between the markers is changed by itself, as punctuation that may be one.
    parts = re.split(rf"((?<!\S)(?:{'|'.join(map(re.escape, kept))})(?!\S))", text)
    pieces = [
        part if part in kept or not part.strip() else _with_its_spaces(change, part, f"{seed}:{n}")
        for n, part in enumerate(parts)
    ]
    found = "".join(pieces)
    return found if markers(found) == markers(text) else text


def _with_its_spaces(change: Change, part: str, seed: str) -> str:
    inner = part.strip()
    start = part.index(inner)
    return part[:start] + change(inner, seed) + part[start + len(inner) :]
