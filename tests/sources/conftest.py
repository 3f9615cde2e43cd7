"""What the tests of all formats share: a file to read and a way to read it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tf_finetune.options.data import DataConfig
from tf_finetune.sources.columns import resolve_columns
from tf_finetune.sources.opening import open_table
from tf_finetune.sources.reading import read_records
from tf_finetune.sources.records import Record


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str | bytes], str]:
    """Writes a file byte for byte and returns its path."""

    def write_file(name: str, content: str | bytes) -> str:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return str(path)

    return write_file


@pytest.fixture
def notes_of() -> Callable[..., tuple[list[Record], list[str]]]:
    """Reads all records of a source, and the notes about it: those of opening it first."""

    def read_with_notes(source: str, **options: Any) -> tuple[list[Record], list[str]]:
        config = resolve_columns(DataConfig(train=source, **options))
        notes = list(open_table(config, source).notes)
        return list(read_records(config, source, notes=notes)), notes

    return read_with_notes


@pytest.fixture
def read() -> Callable[..., list[Record]]:
    """Resolves the columns of a source and reads all its records."""

    def read_all(source: str, **options: Any) -> list[Record]:
        config = resolve_columns(DataConfig(train=source, **options))
        return list(read_records(config, source))

    return read_all
