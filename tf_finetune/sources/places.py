"""Places of characters in a text, as files give them; and whether their ends count themselves.

Most programs write the offset behind the last character of a span, some that of the last character
itself. Which of the two it is, the ends of all spans of a source tell together: cut in one way,
they end where words end.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from tf_finetune.sources.numbers import as_integer
from tf_finetune.sources.words import words_of

_STARTS = ("start", "start_offset", "begin", "start_char", "char_start")
_ENDS = ("end", "end_offset", "stop", "end_char", "char_end")
_NESTED = ("pos", "span", "offset", "offsets", "position")
_SHARE = 0.9  # of the spans that tell, to be told apart from slips


class Place(NamedTuple):
    """Offsets of a span's first character and of its end, and its text if that is written too."""

    start: int
    end: int
    text: str | None = None


def place_of(value: object) -> Place | None:
    """The place that a value gives: `[start, end]`, or an object with names of the two."""
    if isinstance(value, list) and len(value) >= 2:
        return _place(value[0], value[1], None)
    if not isinstance(value, dict):
        return None
    nested = _first(value, _NESTED)
    found = place_of(nested) if isinstance(nested, (list, dict)) else None
    if found is None:
        found = _place(_first(value, _STARTS), _first(value, _ENDS), None)
    text = value.get("text", value.get("name"))
    return found._replace(text=text) if found and isinstance(text, str) and text else found


def whole_number(value: object) -> int | None:
    """An offset; text and floats may hold one."""
    if isinstance(value, bool):
        return None
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    if isinstance(value, str):
        return as_integer(value)
    return value if isinstance(value, int) else None


class EndEvidence:
    """What the spans of a whole source show about their ends; they are shown text by text."""

    def __init__(self) -> None:
        self._behind = self._on = 0

    def add(self, text: str, places: Sequence[Place]) -> None:
        """Looks at the spans of a text: which of the two meanings cuts no word."""
        if not places:
            return
        fits = _border_test(text)
        for place in places:
            behind = _fits(text, place, place.end, fits)
            on = _fits(text, place, place.end + 1, fits)
            self._behind += behind and not on
            self._on += on and not behind

    @property
    def inclusive(self) -> bool:
        """Whether an end is the offset of the last character, and not the one behind it."""
        return self._on > 0 and self._on >= _SHARE * (self._on + self._behind)


INCLUSIVE = "spans whose ends are taken to be the offsets of their last characters, as most show"


def trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """A span without white space at its borders; empty if there is nothing else."""
    inside = text[start:end]
    left = len(inside) - len(inside.lstrip())
    return min(start + left, end), start + len(inside.rstrip()) if inside.strip() else start + left


def _fits(text: str, place: Place, end: int, is_border: Callable[[int], bool]) -> bool:
    """Whether a span could end there."""
    if not 0 <= place.start < end <= len(text):
        return False
    if place.text is not None:
        return text[place.start : end] == place.text
    return is_border(end) and not text[end - 1].isspace()


def _border_test(text: str) -> Callable[[int], bool]:
    """Tells whether no word goes over an offset."""
    inside = {at for start, end in words_of(text) for at in range(start + 1, end)}
    return lambda offset: offset not in inside


def _place(start: object, end: object, text: str | None) -> Place | None:
    first, last = whole_number(start), whole_number(end)
    return None if first is None or last is None else Place(first, last, text)


def _first(value: dict[str, object], names: Sequence[str]) -> object:
    return next((value[name] for name in names if name in value), None)
