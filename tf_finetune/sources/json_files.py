"""JSON: one object a line, an array of objects, or one object that holds the columns."""

import io
import itertools
import json
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any, Literal

from tf_finetune.errors import UserError
from tf_finetune.options.data import DataConfig
from tf_finetune.sources.file_content import file_chunks
from tf_finetune.sources.json_values import DOCUMENT_LIMIT, decoder, stream_values
from tf_finetune.sources.label_studio import as_texts, is_label_studio
from tf_finetune.sources.problems import Problems, show, show_names
from tf_finetune.sources.squad import as_questions, is_squad
from tf_finetune.sources.table import Row, Table
from tf_finetune.sources.text_lines import number_lines, read_lines, read_parts

_ROWS_FOR_COLUMNS = 1000
_NAMES_OF_ROWS = ("data", "rows", "examples", "records")
_Layout = Literal["lines", "values", "array", "columns"]


def open_json(config: DataConfig, source: str, path: Path) -> Table:
    """Finds out the layout of a JSON file, and its columns from its first 1,000 rows.

    The file's beginning decides, not its name: `[` begins an array of objects; an object that
    ends in its line is a row, one a line; if it goes on, objects follow each other, or the one
    there is holds the columns. Arrays and objects are streamed; an object of columns is held in
    memory and may have `DOCUMENT_LIMIT` characters.

    Raises:
        UserError: None of those rows is an object, or they cannot be decoded.
    """
    layout = _layout(config, source, path)
    read = {"lines": _line_rows, "values": _value_rows, "array": _value_rows}.get(
        layout, _column_rows
    )

    def rows(problems: Problems) -> Generator[Row, None, None]:
        yield from read(config, source, path, problems)

    problems = Problems()
    head = itertools.islice(rows(problems), _ROWS_FOR_COLUMNS)
    first = next(head, None)
    seen = itertools.chain([first] if first else [], head)
    columns = tuple(dict.fromkeys(name for row in seen for name in row.values))
    if not columns:
        problems.check()
        raise UserError(f"{source}: is empty; accepted: JSON objects, one a line or in an array")
    table = Table(
        name=source,
        kind="jsonl",
        columns=columns,
        rows=rows,
        content=lambda: file_chunks(path),
        options={"encoding": config.encoding},
    )
    if first and is_squad(first.values):
        return as_questions(table)
    return as_texts(table) if first and is_label_studio(first.values) else table


def _layout(config: DataConfig, source: str, path: Path) -> _Layout:
    """How the objects of a file stand in it, told by its beginning."""
    parts = read_parts(path, source, config.encoding, Problems())
    if next((part for part in parts if not part.isspace()), "").lstrip().startswith("["):
        return "array"
    lines = read_lines(path, source, config.encoding, Problems())
    filled = (line.strip() for line in lines if not line.isspace())
    first = next(filled, "")
    try:
        value = decoder().decode(first)
    except json.JSONDecodeError as error:
        # Cut short by the end of the line, and not one broken line of many.
        goes_on = error.pos >= len(first) and first.startswith("{")
        if not goes_on or next(filled, "{").startswith("{"):
            return "lines"
        return "columns" if _is_one_of_columns(config, source, path) else "values"
    except (ValueError, RecursionError):
        return "lines"
    return "columns" if _holds_columns(value) and next(filled, None) is None else "lines"


def _is_one_of_columns(config: DataConfig, source: str, path: Path) -> bool:
    """Whether a file that begins with an object of several lines holds columns, and no more."""
    parts = read_parts(path, source, config.encoding, Problems())
    values = stream_values(parts, source, Problems())
    try:
        first = next(values, None)
        return first is not None and _holds_columns(first[1]) and next(values, None) is None
    except UserError:
        return False  # told when the rows are read


def _holds_columns(value: object) -> bool:
    """Whether an object, the only one of its file, is a table and not a row."""
    if not isinstance(value, dict):
        return False
    return all(isinstance(cells, (list, dict)) for cells in value.values()) or any(
        isinstance(value.get(name), list) for name in _NAMES_OF_ROWS
    )


def _line_rows(config: DataConfig, source: str, path: Path, problems: Problems) -> Iterator[Row]:
    decode = decoder()
    lines = read_lines(path, source, config.encoding, problems)
    for number, line in number_lines(lines, problems):
        place = f"{source}, row {number}"
        try:
            value = decode.decode(line)
        except (ValueError, RecursionError) as error:
            problems.add(f"{place}: not valid JSON: {error}; accepted: one object a line")
            continue
        yield from _checked(number, value, place, problems)


def _value_rows(config: DataConfig, source: str, path: Path, problems: Problems) -> Iterator[Row]:
    """Objects that follow each other, in an array or not; rows are their numbers."""
    parts = read_parts(path, source, config.encoding, problems)
    for number, value in stream_values(parts, source, problems):
        yield from _checked(number, value, f"{source}, row {number}", problems)


def _column_rows(config: DataConfig, source: str, path: Path, problems: Problems) -> Iterator[Row]:
    """The rows of an object that holds columns, as pandas writes them."""
    text = io.StringIO()
    for part in read_parts(path, source, config.encoding, problems):
        if text.tell() + len(part) > DOCUMENT_LIMIT:
            problems.stop(
                f"{source}: one object of more than {DOCUMENT_LIMIT:,} characters; accepted: an "
                "array of objects, or one object a line, of any size"
            )
        text.write(part)
    try:
        value = decoder().decode(text.getvalue())
    except (ValueError, RecursionError) as error:
        problems.stop(f"{source}: not valid JSON: {error}")
    for number, row in enumerate(_rows_of_object(value, source, problems), 1):
        yield from _checked(number, row, f"{source}, row {number}", problems)


def _rows_of_object(value: dict[str, Any], source: str, problems: Problems) -> list[Any]:
    """The rows of an object in one of the layouts that pandas and data sets have.

    Columns are lists, or objects by the rows' numbers; an object may have one list of rows
    among other things, or rows by their numbers; `columns` and `data` may hold names and rows.
    """
    inner = list(value.values())
    lists = {name: cells for name, cells in value.items() if isinstance(cells, list)}
    names, data = value.get("columns"), value.get("data")
    if (
        isinstance(names, list)
        and isinstance(data, list)
        and all(isinstance(row, list) and len(row) == len(names) for row in data)
    ):
        return [dict(zip(map(str, names), row, strict=True)) for row in data]
    rows = [
        cells
        for name, cells in lists.items()
        if (name in _NAMES_OF_ROWS or len(value) == 1) and all(isinstance(c, dict) for c in cells)
    ]
    if len(rows) == 1:
        return rows[0]
    if len(lists) == len(value) and len(set(map(len, inner))) == 1:
        return [dict(zip(value, row, strict=True)) for row in zip(*inner, strict=True)]
    if inner and all(isinstance(cells, dict) for cells in inner):
        if all(name.isdecimal() for name in value):
            return inner
        if all(cells.keys() == inner[0].keys() for cells in inner):
            return [{name: cells[key] for name, cells in value.items()} for key in inner[0]]
    lengths = ", ".join(f"{show(n)} {len(cells):,}" for n, cells in list(lists.items())[:5])
    problems.stop(
        f"{source}: is one JSON object, whose names are {show_names(value)}"
        + (f" (lengths of lists: {lengths})" if lengths else "")
        + "; accepted: an array of objects, one object a line, or an object whose values are "
        "columns of equal length"
    )


def _checked(number: int, value: Any, place: str, problems: Problems) -> Iterator[Row]:
    if isinstance(value, dict):
        yield Row(number, value, place)
    else:
        problems.add(f"{place}: received {show(value)}; accepted: a JSON object")
