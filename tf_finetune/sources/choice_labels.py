"""How the labels of a source name one of several choices: one reading for all of them."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from tf_finetune.sources.places import whole_number
from tf_finetune.sources.problems import show_names


class Choices(NamedTuple):
    """Texts of the choices, and what the source calls them where it has names, as A, B, C."""

    texts: tuple[str, ...]
    names: tuple[str, ...] = ()


class LabelReading(NamedTuple):
    """A way of reading labels.

    Attributes:
        read: The number of the choice that a label names, from 0; None if it names none.
        accepted: What labels there may be, for messages.
        noted: Rows read in this way, as a plural, if the user should know; else "".
    """

    read: Callable[[object, Choices], int | None]
    accepted: Callable[[Choices], str]
    noted: str = ""


def reading_of(labelled: Iterable[tuple[object, Choices]]) -> LabelReading:
    """The way of reading that fits most of the labels; of equals the first below."""
    counts = [0] * len(_READINGS)
    for label, choices in labelled:
        for index, reading in enumerate(_READINGS):
            counts[index] += reading.read(label, choices) is not None
    best = max(range(len(counts)), key=counts.__getitem__)
    both = counts[_FROM_ZERO] == counts[_FROM_ONE] > 0
    return (
        _READINGS[best]._replace(noted=_DOUBTFUL)
        if best == _FROM_ZERO and both
        else _READINGS[best]
    )


def _by_name(label: object, choices: Choices) -> int | None:
    return _only(_text(label), choices.names)


def _by_number(label: object, choices: Choices) -> int | None:
    number = whole_number(label)
    return number if number is not None and 0 <= number < len(choices.texts) else None


def _by_number_from_one(label: object, choices: Choices) -> int | None:
    number = whole_number(label)
    return number - 1 if number is not None and 1 <= number <= len(choices.texts) else None


def _by_letter(label: object, choices: Choices) -> int | None:
    letter = _text(label).upper()
    number = ord(letter) - ord("A") if len(letter) == 1 else -1
    return number if 0 <= number < len(choices.texts) else None


def _by_text(label: object, choices: Choices) -> int | None:
    return _only(_text(label), tuple(text.strip() for text in choices.texts))


def _text(label: object) -> str:
    number = None if isinstance(label, str) else whole_number(label)
    return label.strip() if isinstance(label, str) else "" if number is None else str(number)


def _only(label: str, names: tuple[str, ...]) -> int | None:
    """The place of a name that occurs once."""
    return names.index(label) if names.count(label) == 1 else None


_DOUBTFUL = "labels taken to count the choices from 0, though none is 0"
_FROM_ZERO, _FROM_ONE = 1, 4
_READINGS = (
    LabelReading(_by_name, lambda choices: show_names(choices.names)),
    LabelReading(_by_number, lambda choices: f"0 to {len(choices.texts) - 1}"),
    LabelReading(_by_letter, lambda choices: f"A to {chr(ord('A') + len(choices.texts) - 1)}"),
    LabelReading(_by_text, lambda choices: f"the text of one: {show_names(choices.texts)}"),
    LabelReading(
        _by_number_from_one,
        lambda choices: f"1 to {len(choices.texts)}",
        "labels that are numbers of choices, counted from 1",
    ),
)
