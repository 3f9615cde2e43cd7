"""How a delimited file is written: its delimiter, its quotes, and the fields of its records."""

import csv
import functools
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from tf_finetune.errors import UserError
from tf_finetune.options.data import DataConfig
from tf_finetune.options.value_checks import read_tab
from tf_finetune.sources.problems import Problems
from tf_finetune.sources.text_lines import BLANK_LINES, read_lines, read_parts

# csv stops at 128 Ki characters, which a long document exceeds; without any limit one
# forgotten quote would pull the rest of the file into memory.
FIELD_LIMIT = 16 * 2**20
Quoting = Literal["standard", "backslash", "none"]
_SEPARATOR_LINE = re.compile(r'\ufeff?"?sep=(\\t|[^"\r\n])"?[\r\n]*', re.IGNORECASE)
_ROWS_FOR_ADVICE = 100_000
_MEANINGS = {
    "standard": 'fields are quoted with "..."',
    "backslash": r"quotes inside a field are written \"",
    "none": "quotes are ordinary characters",
}


@dataclass(frozen=True)
class Dialect:
    """How one file is written.

    Attributes:
        path: The file.
        name: The file as the user wrote it, for messages.
        delimiter: One character.
        quoting: `standard`: a quote inside a quoted field is doubled; `backslash`: a backslash
            stands before it, or it is doubled; `none`: quotes are characters like others.
        encoding: The option `data.encoding`.
        separator_line: Whether row 1 is Excel's `sep=;`, which is no row of the table.
    """

    path: Path
    name: str
    delimiter: str
    quoting: Quoting
    encoding: str
    separator_line: bool = False


def find_dialect(
    config: DataConfig, source: str, path: Path, kind: Literal["csv", "tsv", "text"]
) -> tuple[Dialect, str]:
    """The dialect that the options, a line `sep=;`, the format and the file itself give.

    Where `data.quoting` is auto and not every row can be read as the format is usually
    written, another way of quoting is taken if it reads the file with fewer faults: backslashes
    in CSV; quotes or backslashes in TSV, if they leave no fault at all. So a file that is right
    in the usual way is never read in another.

    Returns:
        The dialect, and a sentence about the quoting if it is not the usual one, else "".

    Raises:
        UserError: The delimiter is none.
    """
    given = config.delimiter
    separator = _SEPARATOR_LINE.fullmatch(_first_line(path, config.encoding))
    delimiter = given or ("," if kind == "csv" else "\t")
    if separator and not given:
        delimiter = str(read_tab(separator[1]))
    usual: Quoting = "standard" if kind == "csv" else "none"
    quoting = usual if config.quoting == "auto" else config.quoting
    if delimiter in "\r\n\0" or (quoting != "none" and delimiter == '"'):
        raise UserError(
            f"data.delimiter: received {delimiter!r}; accepted: a character that is no line end, "
            "no NUL and, where data.quoting is not none, no quote"
        )
    dialect = Dialect(path, source, delimiter, quoting, config.encoding, separator is not None)
    if config.quoting != "auto" or delimiter in '"\\':
        return dialect, ""
    status = path.stat()
    found = _recognised_quoting(replace(dialect, name=""), (status.st_size, status.st_mtime_ns))
    if found == usual:
        return dialect, ""
    note = f"{_MEANINGS[found]}, as the file shows; data.quoting={usual} would read it otherwise"
    return replace(dialect, quoting=found), note


def read_fields(dialect: Dialect, problems: Problems) -> Iterator[tuple[int, list[str]]]:
    """Fields of each record with the row in which it starts, from 1; blank ones are left out."""
    csv.field_size_limit(max(csv.field_size_limit(), FIELD_LIMIT))
    lines = read_lines(dialect.path, dialect.name, dialect.encoding, problems)
    skipped = 1 if dialect.separator_line else 0
    if dialect.separator_line:
        next(lines, None)
    escaped = dialect.quoting == "backslash"
    reader = csv.reader(
        map(_other_backslashes_doubled(dialect.delimiter), lines) if escaped else lines,
        delimiter=dialect.delimiter,
        quoting=csv.QUOTE_NONE if dialect.quoting == "none" else csv.QUOTE_MINIMAL,
        escapechar="\\" if escaped else None,
        strict=True,
    )
    while True:
        number = reader.line_num + 1 + skipped
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            _add_csv_error(error, dialect, number, problems)
            continue
        # Spreadsheets write rows of nothing as ",,".
        if (fields and fields[0].strip()) or "".join(fields).strip():
            yield number, fields
        else:
            problems.note(BLANK_LINES, f"row {number}")


def fits(fields: list[str], columns: list[str]) -> bool:
    """Whether a record has a value for each named column and nothing beyond all columns."""
    if len(fields) == len(columns):
        return True
    return not any(columns[len(fields) :]) and not "".join(fields[len(columns) :]).strip()


def _first_line(path: Path, encoding: str) -> str:
    """The first line, or "" where it cannot be read, which is told later."""
    try:
        return next(read_lines(path, "", encoding, Problems()), "")
    except UserError:
        return ""


def _other_backslashes_doubled(delimiter: str) -> "_Doubling":
    return _Doubling(re.compile(rf'\\(["\\{re.escape(delimiter)}])|\\'))


class _Doubling:
    r"""Doubles the backslashes that escape nothing (C:\new, \N), which csv would take out."""

    def __init__(self, pattern: re.Pattern[str]):
        self._pattern = pattern

    def __call__(self, line: str) -> str:
        if "\\" not in line:
            return line
        return self._pattern.sub(lambda found: found[0] if found[1] else "\\\\", line)


@functools.lru_cache(maxsize=64)
def _recognised_quoting(dialect: Dialect, state: tuple[int, int]) -> Quoting:
    """The way of quoting that a file shows.

    Args:
        dialect: With the usual quoting of the file's format.
        state: Size and time of the file, so that one that changes is looked at again.
    """
    usual = dialect.quoting
    marks, escapes = _quotes_in(dialect)
    if not marks or (usual == "standard" and not escapes):
        return usual
    fewest = _faults(dialect)
    if usual == "none":
        quoted = _is_quoted(_header(dialect))
        others: list[Quoting] = ["standard", "backslash"] if escapes else ["standard"]
        for other in others:
            if (fewest or quoted) and _faults(replace(dialect, quoting=other)) == 0:
                return other
        return usual
    escaped = _faults(replace(dialect, quoting="backslash")) if fewest else 0
    return "backslash" if escaped < fewest else usual


def _quotes_in(dialect: Dialect) -> tuple[bool, bool]:
    """Whether there are quotes, and backslashes before quotes."""
    marks, end = False, ""
    try:
        for part in read_parts(dialect.path, "", dialect.encoding, Problems()):
            marks = marks or '"' in part
            if marks and '\\"' in end + part:
                return True, True
            end = part[-1:]
    except UserError:
        pass  # told when the file is read
    return marks, False


def _faults(dialect: Dialect, rows: int | None = None) -> int:
    """Number of records that have not the right number of fields, or cannot be read at all.

    Args:
        dialect: How the file may be written.
        rows: How many records are looked at; None looks at all.
    """
    problems, faults = Problems(), 0
    columns: list[str] | None = None
    try:
        for _, fields in itertools.islice(read_fields(dialect, problems), rows):
            if columns is None:
                columns = [field.strip() for field in fields]
            faults += not fits(fields, columns)
    except UserError:
        return 2**62  # a quote that is never closed: nobody knows what is behind it
    return faults + problems.count


def _header(dialect: Dialect) -> list[str]:
    try:
        return next(read_fields(dialect, Problems()), (0, []))[1]
    except UserError:
        return []


def _is_quoted(fields: list[str]) -> bool:
    return bool(fields) and all(len(f) > 1 and f[0] == f[-1] == '"' for f in fields)


def _add_csv_error(error: csv.Error, dialect: Dialect, number: int, problems: Problems) -> None:
    place = f"{dialect.name}, row {number}"
    if "unexpected end of data" in str(error):
        problems.stop(f"{place}: a quote opens here and is never closed{_quote_advice(dialect)}")
    if "field larger than field limit" in str(error):
        problems.stop(
            f"{place}: a field has more than {FIELD_LIMIT:,} characters, perhaps because a quote "
            f"is never closed{_quote_advice(dialect)}"
        )
    problems.add(f"{place}: {error}{_quote_advice(dialect)}")


def _quote_advice(dialect: Dialect) -> str:
    """How to write quotes; and another reading, but only one that is right for every row."""
    if dialect.quoting == "none":
        return ""
    advice = "; accepted: a quote inside a quoted field written twice"
    # The name is left out where a reading is only tried.
    if not dialect.name:
        return advice
    status = dialect.path.stat()
    columns = _columns_without_quotes(replace(dialect, name="", quoting="none"), status.st_mtime_ns)
    # More columns than with quotes would be texts cut at their commas.
    if columns == len(_header(dialect)) > 1:
        advice += (
            f", or data.quoting: none if quotes are ordinary characters: each of the first "
            f"{_ROWS_FOR_ADVICE:,} rows then has {columns} fields"
        )
    return advice


@functools.lru_cache(maxsize=64)
def _columns_without_quotes(dialect: Dialect, changed: int) -> int:
    """Number of columns if all rows have as many when quotes are characters, else 0."""
    return 0 if _faults(dialect, _ROWS_FOR_ADVICE) else len(_header(dialect))
