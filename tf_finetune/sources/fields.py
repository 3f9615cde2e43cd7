"""Turns a row's values into a record: text, second text and label, each checked."""

import math
import re
from collections.abc import Sequence
from typing import Literal

from tf_finetune.options.data import DataConfig
from tf_finetune.sources.list_literals import parse_list
from tf_finetune.sources.numbers import as_flag, as_integer, as_number
from tf_finetune.sources.problems import Problems, show
from tf_finetune.sources.records import Label, Record
from tf_finetune.sources.table import Row

Form = Literal["number", "names", "name"]
# Of the tasks that say how labels are written; others are read as one of these.
_FORMS: dict[str, Form] = {
    "regression": "number",
    "multi_label": "names",
    "single_label": "name",
    "relation": "name",
}
MISSING = object()
_NOT_TEXT = "accepted: a text that is not empty"
# Line ends and terminal escapes, marks that turn the direction of what is printed after them,
# and the byte order mark, of which nothing is seen: "pos" and "\ufeffpos" would be two labels.
_UNFIT_FOR_NAMES = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff]")


def to_record(row: Row, config: DataConfig, problems: Problems, *, labelled: bool) -> Record | None:
    """Takes from a row what the options name.

    Args:
        row: One row of a table.
        config: Options of the data section, columns resolved.
        problems: Gets what is wrong with the row.
        labelled: Whether the label is read, else it is None.

    Returns:
        The record, or None if something is wrong with the row.
    """
    before = problems.count
    text = read_text(row, config.text_column or "", problems)
    pair = None
    if config.text_pair_column is not None:
        pair = read_text(row, config.text_pair_column, problems)
    label: Label = None
    if labelled:
        label = _label(row, config, problems)
    if problems.count > before:
        return None
    return Record(row.number, text, pair, label)


def written_form(config: DataConfig) -> Form | None:
    """How labels are written that `data.task` is about; None where it is still to be found out."""
    return None if config.task == "auto" else _FORMS.get(config.task, "name")


def label_form(config: DataConfig) -> Form:
    """How labels are read: as numbers, sets of names, or (lists excepted) single names."""
    form = written_form(config) or "name"
    return "names" if form == "name" and config.label_separator is not None else form


def label_columns(config: DataConfig) -> tuple[str, ...]:
    """The columns that hold labels, one or one for each label; () where none is known."""
    if config.label_columns is not None:
        return config.label_columns
    return () if config.label_column is None else (config.label_column,)


def read_text(row: Row, column: str, problems: Problems) -> str:
    """The text of a column, or "" and a problem."""
    value = row.values.get(column, MISSING)
    if isinstance(value, str):
        fault = text_fault(value)
    else:
        fault = several_values("text") if isinstance(value, (dict, list)) else _NOT_TEXT
    if not fault and isinstance(value, str):
        return value
    add_fault(row, column, value, fault, problems)
    return ""


def text_fault(text: str) -> str:
    """What is wrong with a text or name, or ""."""
    if not text or text.isspace():
        return _NOT_TEXT
    if text[0] == "\ufeff":
        return "begins with a byte order mark, as files put together do; accepted: text without"
    if "\0" in text:
        return "holds NUL characters; accepted: text without"
    if not _encodable(text):
        return "holds half a surrogate pair; accepted: valid Unicode"
    return ""


def name_fault(name: str) -> str:
    """What is wrong with the name of a label or a column, or ""."""
    if _UNFIT_FOR_NAMES.search(name):
        return "accepted: a name that is not empty and has no control characters"
    return text_fault(name)


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _label(row: Row, config: DataConfig, problems: Problems) -> Label:
    """The label in the form the task asks for, or None and a problem."""
    if config.label_columns is not None:
        return _marked(row, config, problems)
    column = config.label_column or ""
    value = row.values.get(column, MISSING)
    label: Label
    form = label_form(config)
    if form == "number":
        label, accepted = _number(value, config), "a finite number"
    elif form == "names" or isinstance(value, list):
        label = _names(value, config.label_separator)
        accepted = "names of labels, none empty or with control characters"
    else:
        label, accepted = (
            label_name(value),
            "a label that is not empty and has no control characters",
        )
    if label is None and is_absent(value):
        several = ", or an empty field for none of several (data.task=multi_label)"
        accepted = "a label" + several * (form == "name")
        add_fault(row, column, value, f"the label is missing; accepted: {accepted}", problems)
    elif label is None and isinstance(value, dict):
        add_fault(row, column, value, several_values("label"), problems)
    elif label is None:
        add_fault(row, column, value, f"accepted: {accepted}", problems)
    return label


def _marked(row: Row, config: DataConfig, problems: Problems) -> tuple[str, ...] | None:
    """The labels whose columns hold 1, under the names they have."""
    columns = config.label_columns or ()
    flags = [_flag(row.values.get(column, MISSING)) for column in columns]
    for column, flag in zip(columns, flags, strict=True):
        if flag is None:
            value = row.values.get(column, MISSING)
            missing = "the label is missing; " * is_absent(value)
            add_fault(row, column, value, f"{missing}accepted: 0 or 1, or false or true", problems)
    if None in flags:
        return None
    names = config.label_names or columns
    return tuple(name for name, flag in zip(names, flags, strict=True) if flag)


def _flag(value: object) -> bool | None:
    if isinstance(value, str):
        return as_flag(value)
    return bool(value) if isinstance(value, (int, float)) and value in (0, 1) else None


def is_absent(value: object) -> bool:
    """Whether nothing stands where a label should."""
    if isinstance(value, str):
        return not value.strip()
    return value is None or value is MISSING or (isinstance(value, float) and math.isnan(value))


def _number(value: object, config: DataConfig) -> float | None:
    """A regression target; text may hold a number in the usual notation."""
    if isinstance(value, str):
        number = as_number(value, "comma" if config.decimal_mark == "comma" else "point")
    elif value is None or value is MISSING or isinstance(value, (bool, list, dict)):
        return None
    else:
        try:
            number = float(value)  # type: ignore[arg-type]
        except (TypeError, ValueError, OverflowError):
            return None
    return number if number is not None and math.isfinite(number) else None


def _names(value: object, separator: str | None) -> tuple[str, ...] | None:
    """The names of a multi-label example in their order; an empty field has none.

    Only numbers may repeat: zeros and ones can mean something by their place.
    """
    parts: Sequence[object]
    if isinstance(value, str):
        written = parse_list(value)
        if written is not None:
            parts = written
        elif not value.strip():
            parts = ()
        else:
            parts = value.split(separator) if separator else (value,)
    elif isinstance(value, list):
        parts = value
    else:
        parts = (value,)
    names = [label_name(part) for part in parts]
    known = tuple(name for name in names if name is not None)
    if len(known) < len(names):
        return None
    distinct = tuple(dict.fromkeys(known))
    return known if all(as_integer(name) is not None for name in distinct) else distinct


def label_name(value: object) -> str | None:
    """The name of one label as text: 1, "1" and true are all the label "1"."""
    if isinstance(value, str):
        name = value.strip()
        return None if name_fault(name) else name
    if isinstance(value, int):  # bool too
        return str(int(value))
    if isinstance(value, float) and math.isfinite(value):
        return str(value)
    return None


def several_values(wanted: str) -> str:
    """What is wrong with a list or a structure where one thing should be."""
    return f"holds several values; accepted: one {wanted}; bring it into a column of its own"


def add_fault(row: Row, column: str, value: object, fault: str, problems: Problems) -> None:
    """Notes what is wrong with a value of a row."""
    received = "nothing" if value is MISSING else show(value)
    problems.add(f"{row.place}, column {column!r}: received {received}; {fault}")
