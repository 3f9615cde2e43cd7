"""Finds a source and opens it as a table, whatever its format."""

import difflib
import re
from collections.abc import Generator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Literal

from tf_finetune.config.sections import DataConfig
from tf_finetune.data.sources.class_folders import open_class_folders
from tf_finetune.data.sources.delimited import open_delimited
from tf_finetune.data.sources.docstrings import open_docstrings
from tf_finetune.data.sources.jsonl import open_jsonl
from tf_finetune.data.sources.parquet import open_parquet
from tf_finetune.data.sources.problems import Problems, show
from tf_finetune.data.sources.table import Row, Table
from tf_finetune.data.sources.tfds import open_tfds
from tf_finetune.errors import UserError

BUILTIN = "builtin:docstrings"
TFDS = "tfds:"
_Format = Literal["csv", "tsv", "text", "jsonl", "parquet", "folder"]
_FORMAT_OF_ENDING: dict[str, _Format] = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".txt": "text",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".pq": "parquet",
}


def check_sources(config: DataConfig) -> None:
    """Refuses sources that are not there, before what takes long to be imported is imported.

    Raises:
        UserError: A source cannot be opened; of all sources at once.
    """
    problems = Problems()
    open_tables(config, problems)
    problems.check()


def open_tables(config: DataConfig, problems: Problems) -> list[Table]:
    """Opens the sources of the data section: training, validation and test examples.

    Args:
        config: Options of the data section.
        problems: Gets what is wrong with each that cannot be opened.
    """
    tables = []
    for split in ("train", "validation", "test"):
        source = getattr(config, split)
        if source is None:
            continue
        try:
            tables.append(open_table(config, source, split=split))
        except UserError as error:
            for problem in error.problems:
                problems.add(problem)
    return tables


def open_table(config: DataConfig, source: str, *, split: str = "train") -> Table:
    """Opens a source and finds out its columns.

    Args:
        config: Options of the data section.
        source: A file or folder, `tfds:NAME` or `builtin:docstrings`.
        split: `train`, `validation` or `test`; only TFDS has several splits in one source.

    Raises:
        UserError: There is no such source, or it cannot be read at all.
    """
    if source.startswith(TFDS):
        return open_tfds(config, source, split)
    if source == BUILTIN:
        return open_docstrings(source)
    path = Path(source).expanduser()
    try:
        return _guarded(_open_path(config, source, path))
    except OSError as error:
        raise UserError(_unreadable(source, error)) from error


def has_known_ending(name: str) -> bool:
    """Whether a name ends as files of data do."""
    return name.lower().endswith(tuple(_FORMAT_OF_ENDING))


def _guarded(table: Table) -> Table:
    """The table, whose reading ends in a `UserError` where the disk or the rights fail.

    Else whoever reads, and writes what was read, could not tell whose file it was.
    """

    def rows(problems: Problems) -> Generator[Row, None, None]:
        try:
            yield from table.rows(problems)
        except OSError as error:
            problems.stop(_unreadable(table.name, error))

    def content() -> Iterator[bytes]:
        try:
            yield from table.content()
        except OSError as error:
            raise UserError(_unreadable(table.name, error)) from error

    return replace(table, rows=rows, content=content)


def _unreadable(source: str, error: OSError) -> str:
    where = f"{error.filename}: " if error.filename not in (None, source) else ""
    return f"{source}: cannot be read: {where}{error.strerror or error}"


def _open_path(config: DataConfig, source: str, path: Path) -> Table:
    if not path.exists():
        raise UserError(f"{source}: no such file or folder; {_nearest(source, path)}")
    kind = _format(config, source, path)
    if (kind == "folder") != path.is_dir():
        raise UserError(
            f"{source}: is a {'folder' if path.is_dir() else 'file'}, but data.format is "
            f"{config.format}; accepted: auto, or the format it has"
        )
    if kind == "folder":
        return open_class_folders(config, source, path)
    if path.is_file() and path.stat().st_size == 0:
        raise UserError(f"{source}: is empty")
    if kind == "jsonl":
        return open_jsonl(config, source, path)
    if kind == "parquet":
        return open_parquet(config, source, path)
    return open_delimited(config, source, path, kind)


def _format(config: DataConfig, source: str, path: Path) -> _Format:
    if config.format != "auto":
        return config.format
    if path.is_dir():
        return "folder"
    try:
        return _FORMAT_OF_ENDING[path.suffix.lower()]
    except KeyError:
        raise UserError(
            f"{source}: the ending {path.suffix!r} names no format; accepted: "
            f"{', '.join(_FORMAT_OF_ENDING)}, or set data.format"
        ) from None


def _nearest(source: str, path: Path) -> str:
    """What there is with a similar name, as the end of a message."""
    if re.match(r"[A-Za-z]{2,}:", source):
        return f"accepted: tfds:NAME, {BUILTIN}, a file or a folder"
    folder = path.parent
    if not folder.is_dir():
        return f"there is no folder {folder} either"
    names = sorted(entry.name for entry in folder.iterdir())
    near = difflib.get_close_matches(path.name, names, 1)
    return f"the nearest name there is {show(near[0])}" if near else "accepted: one that exists"
