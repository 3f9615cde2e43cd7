"""Labelled examples in the forms that people have in Python, as sources of the `data` section."""

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tf_finetune.errors import UserError
from tf_finetune.sources.in_memory import InMemory, Values, keep

TEXT, TEXT_PAIR, LABEL = "text", "text_pair", "label"
ACCEPTED = (
    "a DataFrame, a path, a dictionary of columns, a list of dictionaries, (texts, labels), a "
    "datasets.Dataset, a tf.data.Dataset, or an Arrow table"
)
_SPLITS = ("train", "validation", "test")


def source_of(data: Any, argument: str) -> str | InMemory:
    """What to write as `data.train` and its like: a source's name, or examples that have one.

    Args:
        data: A path or another source as in a configuration; a pandas or polars DataFrame; a
            `datasets.Dataset`; anything that gives Arrow's stream; a dictionary of columns; a
            list of dictionaries; two sequences, of texts and of labels; a `tf.data.Dataset` whose
            elements are a text and a label, or dictionaries, batched or not.
        argument: What the caller calls it, for messages.

    Raises:
        UserError: It is something else, or empty.
    """
    if isinstance(data, InMemory):
        return data
    if isinstance(data, (str, os.PathLike)):
        return _path(data)
    for is_one, read in _FORMS:
        if is_one(data):
            return keep(read(data))
    raise UserError(f"{argument}: received {_named(data)}; accepted: {ACCEPTED}")


def name_of(source: str | InMemory) -> str:
    """The name by which the program opens what `source_of` gave."""
    return source if isinstance(source, str) else source.source


def splits_in(data: Any) -> dict[str, Any] | None:
    """The splits of a mapping of them, such as a `datasets.DatasetDict`; None of other data."""
    if not isinstance(data, Mapping) or "train" not in data or not set(data) <= set(_SPLITS):
        return None
    if all(isinstance(value, (list, tuple)) and not _is_pair(value) for value in data.values()):
        return None  # a column of that name
    return dict(data)


def _path(data: "str | os.PathLike[str]") -> str:
    return data if isinstance(data, str) else str(Path(data))


def _named(data: Any) -> str:
    """Such as "a list of int"."""
    name = type(data).__name__
    article = "an" if name[0] in "aeiou" else "a"
    inner = f" of {type(data[0]).__name__}" if isinstance(data, (list, tuple)) and data else ""
    return f"{article} {name}{inner}"


def _comes_from(data: Any, package: str, name: str) -> bool:
    """Whether it is of a class of a package, which is imported already if so."""
    module = sys.modules.get(package)
    kind = getattr(module, name, None)
    return isinstance(kind, type) and isinstance(data, kind)


def _from_pandas(frame: Any) -> InMemory:
    import pandas as pd

    labels = frame.columns
    names = [str(label) for label in labels]
    _check_distinct(names, "DataFrame")
    index = frame.index
    numbered = isinstance(index, pd.RangeIndex) and index.start == 0 and index.step == 1
    columns = {name: _sliced(frame.iloc[:, at]) for at, name in enumerate(names)}
    place = (lambda number: "") if numbered else (lambda number: f" (index {index[number - 1]!r})")
    return InMemory("DataFrame", columns, len(frame), place=place)


def _sliced(column: Any) -> Values:
    return lambda first, last: column.iloc[first:last]


def _check_distinct(names: Sequence[str], kind: str) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UserError(
            f"the {kind} has columns that occur more than once: {', '.join(twice)}; accepted: "
            "distinct names of columns"
        )


def _from_datasets(dataset: Any) -> InMemory:
    """Of the `datasets` library; its class names stand in the metadata of its schema."""
    whole = dataset.with_format("arrow")

    def values(name: str) -> Values:
        return lambda first, last: whole[first:last][name]

    columns = {name: values(name) for name in dataset.column_names}
    return InMemory("Dataset", columns, len(dataset), types=dataset.features.arrow_schema)


def _from_arrow(data: Any) -> InMemory:
    """Of polars, DuckDB and all others that give Arrow's stream."""
    import pyarrow as pa

    table = data if isinstance(data, pa.Table) else pa.table(data)
    _check_distinct(table.column_names, "table")

    def values(name: str) -> Values:
        column = table.column(name)
        return lambda first, last: column.slice(first, last - first)

    columns = {name: values(name) for name in table.column_names}
    return InMemory("table", columns, table.num_rows, types=table.schema)


def _from_columns(data: Mapping[Any, Any], kind: str = "dictionary") -> InMemory:
    lengths = {str(name): _length(values) for name, values in data.items()}
    if None in lengths.values() or len(set(lengths.values())) > 1:
        said = ", ".join(
            f"{name} {'is no list' if length is None else f'has {length:,}'}"
            for name, length in lengths.items()
        )
        raise UserError(f"the columns of the {kind} differ in length: {said}; accepted: as many")
    columns = {str(name): _part_of(values) for name, values in data.items()}
    return InMemory(kind, columns, next(iter(lengths.values()), 0) or 0)


def _length(values: Any) -> int | None:
    return (
        None if isinstance(values, (str, bytes)) or not hasattr(values, "__len__") else len(values)
    )


def _part_of(values: Any) -> Values:
    if hasattr(values, "iloc"):  # a Series is sliced by place, not by label
        return _sliced(values)
    return lambda first, last: values[first:last]


def _from_records(data: Sequence[Mapping[Any, Any]]) -> InMemory:
    names = list(dict.fromkeys(str(name) for record in data for name in record))

    def values(name: str) -> Values:
        return lambda first, last: [record.get(name) for record in data[first:last]]

    return InMemory("list", {name: values(name) for name in names}, len(data))


def _from_pair(data: Sequence[Any]) -> InMemory:
    texts, labels = data
    return _from_columns({TEXT: texts, LABEL: labels}, "list")


def _from_tf_data(dataset: Any) -> InMemory:
    """Read to its end once, as its elements can only be had in their order."""
    columns: dict[str, list[Any]] = {}
    for element in dataset.as_numpy_iterator():
        for name, value in _tf_columns(element).items():
            kept = columns.setdefault(name, [])
            if getattr(value, "ndim", 0):
                kept += [_plain(item) for item in value]
            else:
                kept.append(_plain(value))
    return _from_columns(columns, "tf.data.Dataset")


def _tf_columns(element: Any) -> dict[str, Any]:
    if isinstance(element, Mapping):
        return {str(name): value for name, value in element.items()}
    if isinstance(element, tuple) and len(element) == 2:
        texts, labels = element
        if isinstance(texts, tuple) and len(texts) == 2:
            return {TEXT: texts[0], TEXT_PAIR: texts[1], LABEL: labels}
        if isinstance(texts, Mapping):
            return {**{str(name): value for name, value in texts.items()}, LABEL: labels}
        return {TEXT: texts, LABEL: labels}
    raise UserError(
        "the tf.data.Dataset has elements that are neither (text, label) nor dictionaries; "
        "accepted: (text, label), ((text, second text), label), or a dictionary of columns"
    )


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode("utf-8", "surrogateescape")
    return value.item() if hasattr(value, "item") and not getattr(value, "ndim", 0) else value


def _is_pair(data: Any) -> bool:
    """Two sequences of one length, of which the first holds texts: not two examples."""
    return (
        isinstance(data, (list, tuple))
        and len(data) == 2
        and all(_length(part) is not None and not isinstance(part, Mapping) for part in data)
        and _length(data[0]) == _length(data[1])
    )


def _is_records(data: Any) -> bool:
    return (
        isinstance(data, (list, tuple))
        and bool(data)
        and all(isinstance(record, Mapping) for record in data)
    )


_FORMS: tuple[tuple[Callable[[Any], bool], Callable[[Any], InMemory]], ...] = (
    (lambda data: _comes_from(data, "pandas", "DataFrame"), _from_pandas),
    (lambda data: _comes_from(data, "datasets", "Dataset"), _from_datasets),
    (lambda data: hasattr(data, "as_numpy_iterator"), _from_tf_data),
    (lambda data: hasattr(data, "__arrow_c_stream__"), _from_arrow),
    (lambda data: isinstance(data, Mapping), _from_columns),
    (_is_records, _from_records),
    (_is_pair, _from_pair),
)
