"""CSV, TSV and tab-separated .txt files, read row by row with strict checks."""

import shlex
from collections import Counter
from collections.abc import Generator
from pathlib import Path
from typing import Literal

from tf_finetune.errors import UserError
from tf_finetune.options.data import DataConfig
from tf_finetune.sources.dialects import Dialect, find_dialect, read_fields
from tf_finetune.sources.fasttext import PREFIX, open_fasttext
from tf_finetune.sources.file_content import file_chunks
from tf_finetune.sources.problems import Problems, show_names
from tf_finetune.sources.row_shapes import RowShapes
from tf_finetune.sources.table import Row, Table
from tf_finetune.sources.text_lines import number_lines, read_lines

REPEATED_HEADERS = "rows that repeat the column names (files put together?), which were skipped"


def open_delimited(
    config: DataConfig, source: str, path: Path, kind: Literal["csv", "tsv", "text"]
) -> Table:
    """Finds out the columns of a delimited file.

    A `text` file that begins with `__label__` is opened as fastText's, one without a delimiter
    in its first row as one text a line, which has no labels.

    Args:
        config: Options of the data section.
        source: The file as the user wrote it.
        path: The file.
        kind: `csv` has commas and quotes, the others tabs and no quotes, unless the options
            or the file itself say otherwise (see `find_dialect`).

    Raises:
        UserError: The file is empty, undecodable in its first row, or names a column twice.
    """
    dialect, note = find_dialect(config, source, path, kind)
    problems = Problems()
    first = next(read_fields(dialect, problems), None)
    if first is None:
        problems.check()
        raise UserError(f"{source}: is empty")
    fields = first[1]
    if kind == "text" and fields[0].lstrip().startswith(PREFIX):
        return open_fasttext(config, source, path)
    if kind == "text" and len(fields) == 1:
        return _open_lines(config, source, path)
    names = [field.strip() for field in fields] if config.header else _numbers(fields)
    # Columns without a name cannot be asked for, so spreadsheets' ",,," at the end may stay.
    twice = sorted(name for name, count in Counter(names).items() if name and count > 1)
    if twice:
        raise UserError(
            f"{source}, row {first[0]}: column name {show_names(twice)} occurs more than once; "
            "accepted: distinct column names (data.header: false if the file has none)"
        )
    columns = tuple(names)
    return Table(
        name=source,
        kind=kind,
        columns=columns,
        rows=lambda problems: _rows(dialect, config, columns, problems),
        content=lambda: file_chunks(path),
        options={
            "delimiter": dialect.delimiter,
            "quoting": dialect.quoting,
            "encoding": config.encoding,
            "header": config.header,
            "extra_columns": config.extra_columns,
        },
        advice=_delimiter_advice(dialect, fields),
        notes=(note,) if note else (),
    )


def _open_lines(config: DataConfig, source: str, path: Path) -> Table:
    def rows(problems: Problems) -> Generator[Row, None, None]:
        lines = read_lines(path, source, config.encoding, problems)
        for number, line in number_lines(lines, problems):
            yield Row(number, {"text": line}, f"{source}, row {number}")

    return Table(
        name=source,
        kind="lines",
        columns=("text",),
        rows=rows,
        content=lambda: file_chunks(path),
        options={"encoding": config.encoding},
        advice="row 1 holds no tab, so the file is one text a line without labels, which only "
        "prediction can use",
    )


def _rows(
    dialect: Dialect, config: DataConfig, columns: tuple[str, ...], problems: Problems
) -> Generator[Row, None, None]:
    """Rows whose fields stand in the columns where they belong."""
    records = read_fields(dialect, problems)
    if config.header:
        next(records, None)
    shapes = RowShapes(dialect.name, columns, config, problems)
    names, named = set(columns), sorted(filter(None, columns))
    for number, fields in records:
        place = f"{dialect.name}, row {number}"
        if config.header and fields[0].strip() in names and len(fields) >= len(named) > 1:
            stripped = tuple(field.strip() for field in fields)
            if stripped == columns:
                problems.note(REPEATED_HEADERS, f"row {number}")
                continue
            if sorted(filter(None, stripped)) == named:
                problems.add(
                    f"{place}: holds the column names in another order, so that what follows has "
                    "other columns; accepted: one header, or two files"
                )
                continue
        if shapes.check(number, fields):
            yield Row(number, dict(zip(columns, fields, strict=False)), place)
    shapes.check_end()


def _numbers(fields: list[str]) -> list[str]:
    return [str(number) for number in range(1, len(fields) + 1)]


def _delimiter_advice(dialect: Dialect, fields: list[str]) -> str:
    """Which delimiter would give more columns, if there is only one."""
    if len(fields) > 1:
        return ""
    candidates = [mark for mark in "\t,;|" if mark != dialect.delimiter]
    best = max(candidates, key=fields[0].count)
    if best not in fields[0]:
        return ""
    option = shlex.quote(f"data.delimiter={best}".replace("\t", r"\t"))
    return (
        f"with delimiter {dialect.delimiter!r} row 1 is one field, with {best!r} it would be "
        f"{fields[0].count(best) + 1}; set {option}"
    )
