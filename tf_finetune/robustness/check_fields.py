"""What a check in a YAML file may say: which fields go with its kind and with its change."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from tf_finetune.robustness.changes import Add, Case, Change, Numbers, Punctuation, Swap, Typos
from tf_finetune.robustness.word_lists import WordList

COMMON = ("kind", "decides", "about")
OF_KIND: Mapping[str, tuple[str, ...]] = {
    "minimum_function": ("texts", "label"),
    "invariance": ("change", "column"),
    "direction": ("change", "column", "expect", "label", "tolerance"),
}


class FieldError(Exception):
    """A field has a value that is not accepted.

    Args:
        field: Its name.
        received: The value.
        accepted: What is accepted, in words.
    """

    def __init__(self, field: str, received: object, accepted: str):
        super().__init__(field)
        self.field, self.received, self.accepted = field, received, accepted


class ChangeForm(NamedTuple):
    """How a change is written.

    Attributes:
        fields: What may be said of it.
        build: Makes it of these fields, and of the lists by their names.
    """

    fields: tuple[str, ...]
    build: Callable[[Mapping[str, Any], Mapping[str, WordList]], Change]


def _typos(fields: Mapping[str, Any], lists: Mapping[str, WordList]) -> Change:
    return Typos(whole_number(fields, "count", 1))


def _case(fields: Mapping[str, Any], lists: Mapping[str, WordList]) -> Change:
    return Case(one_of(fields, "to", ("lower", "upper", "title")))  # type: ignore[arg-type]


def _punctuation(fields: Mapping[str, Any], lists: Mapping[str, WordList]) -> Change:
    return Punctuation(one_of(fields, "to", ("none", "other_end")))  # type: ignore[arg-type]


def _numbers(fields: Mapping[str, Any], lists: Mapping[str, WordList]) -> Change:
    return Numbers()


def _swap(fields: Mapping[str, Any], lists: Mapping[str, WordList]) -> Change:
    words = one_of(fields, "words", tuple(lists))
    most = whole_number(fields, "most", 1) if "most" in fields else None
    return Swap(lists[words], most)


def _add(fields: Mapping[str, Any], lists: Mapping[str, WordList]) -> Change:
    added = {name: text(fields, name) for name in ("before", "after") if name in fields}
    if not added:
        raise FieldError("before", None, "a text before or after, or both")
    return Add(**added)


CHANGES: Mapping[str, ChangeForm] = {
    "typos": ChangeForm(("count",), _typos),
    "case": ChangeForm(("to",), _case),
    "punctuation": ChangeForm(("to",), _punctuation),
    "numbers": ChangeForm((), _numbers),
    "swap": ChangeForm(("words", "most"), _swap),
    "add": ChangeForm(("before", "after"), _add),
}


def one_of(fields: Mapping[str, Any], name: str, accepted: tuple[str, ...]) -> str:
    """A field that is one of some words.

    Raises:
        FieldError: It is missing or another.
    """
    value = fields.get(name)
    if value not in accepted:
        raise FieldError(name, value, ", ".join(accepted))
    return str(value)


def text(fields: Mapping[str, Any], name: str) -> str:
    """A field that is a text.

    Raises:
        FieldError: It is missing, blank or no text.
    """
    value = fields.get(name)
    if not isinstance(value, str) or not value.strip():
        raise FieldError(name, value, "a text")
    return value


def whole_number(fields: Mapping[str, Any], name: str, default: int) -> int:
    """A field that is a whole number of at least 1.

    Raises:
        FieldError: It is not.
    """
    value = str(fields.get(name, default))
    if not (value.isascii() and value.isdecimal() and int(value)):
        raise FieldError(name, value, "a whole number of at least 1")
    return int(value)


def share(fields: Mapping[str, Any], name: str, default: float) -> float:
    """A field that is a number from 0 to 1.

    Raises:
        FieldError: It is not.
    """
    value = fields.get(name, default)
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = -1.0
    if not 0.0 <= number <= 1.0:
        raise FieldError(name, value, "a number from 0 to 1")
    return number


def yes_or_no(fields: Mapping[str, Any], name: str, *, default: bool) -> bool:
    """A field that is true or false.

    Raises:
        FieldError: It is neither.
    """
    if name not in fields:
        return default
    value = str(fields[name]).lower()
    if value not in ("true", "false"):
        raise FieldError(name, fields[name], "true or false")
    return value == "true"
