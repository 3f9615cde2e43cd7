"""Finds a source and opens it as a table, whatever its format."""

import difflib
import glob
import re
from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from tf_finetune.errors import UserError
from tf_finetune.options.data import DataConfig
from tf_finetune.sources.arrow import open_arrow
from tf_finetune.sources.class_folders import open_class_folders
from tf_finetune.sources.conll import open_conll
from tf_finetune.sources.delimited import open_delimited
from tf_finetune.sources.docstrings import open_docstrings
from tf_finetune.sources.file_content import foreign_content
from tf_finetune.sources.folders import FolderParts, folder_parts
from tf_finetune.sources.formats import PART_ENDINGS, format_of
from tf_finetune.sources.in_memory import IN_MEMORY, open_in_memory
from tf_finetune.sources.json_files import open_json
from tf_finetune.sources.parquet import open_parquet
from tf_finetune.sources.parts import Part, join_parts
from tf_finetune.sources.problems import Problems, show
from tf_finetune.sources.record_forms import FORMS
from tf_finetune.sources.table import Row, Table
from tf_finetune.sources.tfds import open_tfds

BUILTIN = "builtin:docstrings"
TFDS = "tfds:"


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
        source: A file, a folder or a pattern, `tfds:NAME`, `builtin:docstrings`, or the name of
            examples in memory.
        split: `train`, `validation` or `test`; TFDS and some folders have several splits.

    Raises:
        UserError: There is no such source, or it cannot be read at all.
    """
    if source.startswith(TFDS):
        return open_tfds(config, source, split)
    if source.startswith(IN_MEMORY):
        return open_in_memory(config, source, split)
    if source == BUILTIN:
        return open_docstrings(source)
    path = Path(source).expanduser()
    try:
        return _guarded(_open_path(config, source, path, split))
    except OSError as error:
        raise UserError(_unreadable(source, error)) from error


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


def _open_path(config: DataConfig, source: str, path: Path, split: str) -> Table:
    if not path.exists():
        matched = [Path(name) for name in sorted(glob.glob(str(path)))]
        if not matched:
            raise UserError(f"{source}: no such file or folder; {_nearest(source, path)}")
        return _open_parts(config, source, [Part(file.name, file, {}) for file in matched])
    if not path.is_dir():
        return _open_file(config, source, path)
    found = None
    if config.format != "folder":
        found = folder_parts(config, source, path, split, PART_ENDINGS)
    if found is not None:
        return _open_folder(config, source, found)
    if config.format not in ("auto", "folder"):
        raise UserError(
            f"{source}: is a folder without data files, but data.format is {config.format}; "
            "accepted: auto, or the format it has"
        )
    return open_class_folders(config, source, path)


def _open_folder(config: DataConfig, source: str, found: FolderParts) -> Table:
    """The files of a folder; a note says which splits of it nobody uses."""
    format_ = config.model_copy(update={"format": "arrow"}) if found.arrow else config
    table = _open_parts(format_, source, found.parts)
    unused = [name for name in ("validation", "test") if getattr(config, name) is None]
    if config.train != source or not found.other_splits or not unused:
        return table
    others = ", ".join(found.other_splits)
    note = (
        f"only the train split is read, not {others}; to use them, give the same folder as "
        + " and ".join(f"data.{name}" for name in unused)
    )
    return replace(table, notes=(*table.notes, note))


def _open_parts(config: DataConfig, source: str, parts: Sequence[Part]) -> Table:
    problems, tables = Problems(), []
    for part in parts:
        try:
            tables.append(_open_file(config, str(part.path), part.path))
        except UserError as error:
            for problem in error.problems:
                problems.add(problem)
    problems.check()
    if len(tables) == 1 and not parts[0].constants:
        return replace(tables[0], name=source)
    return join_parts(source, parts, tables)


def _open_file(config: DataConfig, source: str, path: Path) -> Table:
    if path.is_dir():
        raise UserError(f"{source}: is a folder; accepted: a file")
    if path.is_file() and path.stat().st_size == 0:
        raise UserError(f"{source}: is empty")
    kind = format_of(config, source, path)
    if kind == "folder":
        raise UserError(
            f"{source}: is a file, but data.format is folder; accepted: auto, or the format it has"
        )
    if kind == "parquet":
        return open_parquet(config, source, path)
    if kind == "arrow":
        return open_arrow(config, source, path)
    foreign = foreign_content(path)
    if foreign:
        raise UserError(f"{source}: is {foreign}")
    if kind == "json" or kind == "jsonl":
        return open_json(config, source, path)
    if kind == "conll":
        return open_conll(config, source, path)
    form = FORMS.get(config.task)
    table = form.open_text(config, source, path) if form and config.format == "auto" else None
    if table is not None:
        return table
    return open_delimited(config, source, path, kind)


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
