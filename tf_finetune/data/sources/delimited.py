"""CSV, TSV and tab-separated .txt files, read row by row with strict checks."""

import csv
from collections import Counter
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tf_finetune.config.sections import DataConfig
from tf_finetune.data.sources.file_content import file_chunks
from tf_finetune.data.sources.problems import Problems, show_names
from tf_finetune.data.sources.table import Row, Table
from tf_finetune.data.sources.text_lines import add_blank_lines, number_lines, read_lines
from tf_finetune.errors import UserError

# csv stops at 128 Ki characters, which a long document exceeds; without any limit one
# forgotten quote would pull the rest of the file into memory.
FIELD_LIMIT = 16 * 2**20


@dataclass(frozen=True)
class _Dialect:
    """How one file is written."""

    path: Path
    name: str
    delimiter: str
    quoted: bool
    encoding: str


def open_delimited(
    config: DataConfig, source: str, path: Path, kind: Literal["csv", "tsv", "text"]
) -> Table:
    """Finds out the columns of a delimited file.

    A `text` file without a delimiter in its first row is opened as one text a line, which
    has no labels.

    Args:
        config: Options of the data section.
        source: The file as the user wrote it.
        path: The file.
        kind: `csv` has commas and quotes, the others tabs and no quotes, unless
            `data.delimiter` and `data.quoting` say otherwise.

    Raises:
        UserError: The file is empty, undecodable in its first row, or names a column twice.
    """
    dialect = _dialect(config, source, path, kind)
    problems = Problems()
    first = next(_records(dialect, problems), None)
    if first is None:
        problems.check()
        raise UserError(f"{source}: is empty")
    fields = first[1]
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
            "quoted": dialect.quoted,
            "encoding": config.encoding,
            "header": config.header,
            "extra_columns": config.extra_columns,
        },
        advice=_delimiter_advice(dialect, fields),
    )


def _open_lines(config: DataConfig, source: str, path: Path) -> Table:
    def rows(problems: Problems) -> Generator[Row, None, None]:
        lines = read_lines(path, source, config.encoding, problems)
        for number, line in number_lines(lines, source, problems):
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


def _dialect(config: DataConfig, source: str, path: Path, kind: str) -> _Dialect:
    delimiter = config.delimiter or ("," if kind == "csv" else "\t")
    quoted = config.quoting == "standard" or (config.quoting == "auto" and kind == "csv")
    if delimiter in "\r\n\0" or (quoted and delimiter == '"'):
        raise UserError(
            f"data.delimiter: received {delimiter!r}; accepted: a character that is no line end, "
            "no NUL and, where data.quoting is standard, no quote"
        )
    return _Dialect(path, source, delimiter, quoted, config.encoding)


def _rows(
    dialect: _Dialect, config: DataConfig, columns: tuple[str, ...], problems: Problems
) -> Generator[Row, None, None]:
    """Rows that have the right number of fields."""
    records = _records(dialect, problems)
    if config.header:
        next(records, None)
    extra_allowed = config.extra_columns == "ignore"
    # Without a header nothing says how many columns there are: those asked for must be there.
    fewer_allowed = extra_allowed and not config.header
    expected = f"{len(columns)}, as in {'the header' if config.header else 'row 1'}"
    for number, fields in records:
        place = f"{dialect.name}, row {number}"
        if len(fields) > len(columns) and not extra_allowed:
            problems.add(
                f"{place}: has {len(fields)} fields; accepted: {expected} "
                "(data.extra_columns: ignore permits more)"
            )
        elif len(fields) < len(columns) and not fewer_allowed:
            problems.add(f"{place}: has {len(fields)} fields; accepted: {expected}")
        else:
            yield Row(number, dict(zip(columns, fields, strict=False)), place)


def _records(dialect: _Dialect, problems: Problems) -> Iterator[tuple[int, list[str]]]:
    """Fields of each record with the row in which it starts."""
    csv.field_size_limit(max(csv.field_size_limit(), FIELD_LIMIT))
    reader = csv.reader(
        read_lines(dialect.path, dialect.name, dialect.encoding, problems),
        delimiter=dialect.delimiter,
        quoting=csv.QUOTE_MINIMAL if dialect.quoted else csv.QUOTE_NONE,
        strict=True,
    )
    blank: list[int] = []
    while True:
        number = reader.line_num + 1
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            _add_csv_error(error, f"{dialect.name}, row {number}", problems)
            continue
        if len(fields) <= 1 and not "".join(fields).strip():
            blank.append(number)
            continue
        add_blank_lines(blank, dialect.name, problems)
        blank.clear()
        yield number, fields


def _add_csv_error(error: csv.Error, place: str, problems: Problems) -> None:
    advice = "; if quotes are ordinary characters in this file, set data.quoting: none"
    if "unexpected end of data" in str(error):
        problems.stop(f"{place}: a quote opens here and is never closed{advice}")
    if "field larger than field limit" in str(error):
        problems.stop(
            f"{place}: a field has more than {FIELD_LIMIT:,} characters, perhaps because a quote "
            f"is never closed{advice}"
        )
    problems.add(f"{place}: {error}{advice}")


def _numbers(fields: list[str]) -> list[str]:
    return [str(number) for number in range(1, len(fields) + 1)]


def _delimiter_advice(dialect: _Dialect, fields: list[str]) -> str:
    """Which delimiter would give more columns, if there is only one."""
    if len(fields) > 1:
        return ""
    candidates = [mark for mark in "\t,;|" if mark != dialect.delimiter]
    best = max(candidates, key=fields[0].count)
    if best not in fields[0]:
        return ""
    return (
        f"with delimiter {dialect.delimiter!r} row 1 is one field, with {best!r} it would be "
        f"{fields[0].count(best) + 1}; set data.delimiter"
    )
