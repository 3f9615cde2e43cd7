"""CoNLL columns: a word and its tags a line, a blank line between sentences."""

import itertools
import re
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from pathlib import Path

from tf_finetune.errors import UserError
from tf_finetune.options.data import DataConfig
from tf_finetune.sources.file_content import file_chunks
from tf_finetune.sources.problems import Problems
from tf_finetune.sources.table import Row, Table
from tf_finetune.sources.tag_schemes import is_tag
from tf_finetune.sources.text_lines import read_lines

COMMENTS = "lines that begin with # and have no tag, which were skipped"
_DOCUMENT = "-DOCSTART-"  # stands between documents
_GAPS = re.compile(r"[ \t]+")
_LINES_SEEN = 1000


@dataclass(frozen=True)
class _Layout:
    """How the lines of a file are cut.

    Attributes:
        tabs: Whether tabs alone are between columns, else tabs and spaces.
        width: Number of columns.
        row: The row that shows it, from 1.
        tag: Index of the column that tells comments from words; None where there is but one.
    """

    tabs: bool
    width: int
    row: int
    tag: int | None

    def fields(self, line: str) -> list[str]:
        """The fields of a line that is not blank."""
        return _fields(line, self.tabs)

    def is_comment(self, fields: list[str]) -> bool:
        """Whether a line is about the words and none of them; `#` can be a word too."""
        if not fields[0].startswith("#"):
            return False
        if len(fields) != self.width:
            return True
        return self.tag is not None and not is_tag(fields[self.tag])


def open_conll(config: DataConfig, source: str, path: Path) -> Table:
    """Finds out the columns of a file of words, which are named 1, 2, 3 and so on.

    A row of the table is a sentence: in each column the list of what stands in its lines. A line
    that begins with `#` is a comment unless it has as many columns as the others and a tag.

    Args:
        config: Options of the data section; `label_column` may name the column of the tags, else
            it is the last.
        source: The file as the user wrote it.
        path: The file.

    Raises:
        UserError: The file holds no words, or cannot be decoded.
    """
    problems = Problems()
    layout = _layout(config, read_lines(path, source, config.encoding, problems))
    if layout is None:
        problems.check()
        raise UserError(f"{source}: is empty; accepted: a word and its tag a line")
    columns = tuple(map(str, range(1, layout.width + 1)))

    def rows(problems: Problems) -> Generator[Row, None, None]:
        lines = read_lines(path, source, config.encoding, problems)
        for words in _sentences(lines, layout, source, problems):
            yield _row(words, columns, source)

    return Table(
        name=source,
        kind="conll",
        columns=columns,
        rows=rows,
        content=lambda: file_chunks(path),
        options={"encoding": config.encoding},
    )


def looks_like_conll(config: DataConfig, source: str, path: Path) -> bool:
    """Whether each of the first lines of a file is blank, a comment, or words with a tag."""
    try:
        lines = itertools.islice(read_lines(path, source, config.encoding, Problems()), _LINES_SEEN)
        seen = list(lines)
    except UserError:
        return False  # told when the file is read
    layout = _layout(config, iter(seen))
    if layout is None or layout.tag is None:
        return False
    for line in seen:
        fields = layout.fields(line) if line.strip() else []
        if not fields or fields[0] == _DOCUMENT or layout.is_comment(fields):
            continue
        if len(fields) != layout.width or not is_tag(fields[layout.tag]):
            return False
    return True


def _layout(config: DataConfig, lines: Iterator[str]) -> _Layout | None:
    """The layout that the first line shows that is surely no comment; None without any line."""
    first: tuple[int, str] | None = None
    for number, line in enumerate(itertools.islice(lines, _LINES_SEEN), 1):
        if not line.strip() or line.startswith(_DOCUMENT):
            continue
        first = first or (number, line)
        if not line.startswith("#"):
            first = number, line
            break
    if first is None:
        return None
    number, line = first
    tabs = "\t" in line.strip()
    width = len(_fields(line, tabs))
    tag = None if width == 1 else width - 1
    column = config.label_column or ""
    if column.isdecimal() and 1 < int(column) <= width:
        tag = int(column) - 1
    return _Layout(tabs, width, number, tag)


def _sentences(
    lines: Iterator[str], layout: _Layout, source: str, problems: Problems
) -> Iterator[list[tuple[int, list[str]]]]:
    """The words of each sentence: row and fields of each; those of broken ones are left out."""
    words: list[tuple[int, list[str]]] = []
    broken = False
    for number, line in enumerate(lines, 1):
        fields = layout.fields(line) if line.strip() else []
        if not fields or line.startswith(_DOCUMENT):
            if words and not broken:
                yield words
            words, broken = [], False
        elif layout.is_comment(fields):
            problems.note(COMMENTS, f"row {number}")
        elif len(fields) != layout.width:
            broken = True
            problems.add(
                f"{source}, row {number}: has {len(fields)} columns; accepted: {layout.width}, as "
                f"in row {layout.row}"
            )
        else:
            words.append((number, fields))
    if words and not broken:
        yield words


def _row(words: list[tuple[int, list[str]]], columns: tuple[str, ...], source: str) -> Row:
    numbers = [number for number, _ in words]
    values = zip(*(fields for _, fields in words), strict=True)
    return Row(
        numbers[0],
        {name: list(column) for name, column in zip(columns, values, strict=True)},
        f"{source}, row {numbers[0]}",
        _places(source, numbers),
    )


def _places(source: str, numbers: list[int]) -> Callable[[int], str]:
    return lambda index: f"{source}, row {numbers[index]}"


def _fields(line: str, tabs: bool) -> list[str]:
    line = line.rstrip()
    return line.split("\t") if tabs else _GAPS.split(line.lstrip(" \t"))
