"""Small sources for the tests of the data package."""

import csv
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from tf_finetune.options.data import DataConfig

WriteCsv = Callable[..., str]


@pytest.fixture
def write_csv(tmp_path: Path) -> WriteCsv:
    """Write rows under the header text,label (or another) and give the path."""

    def write(name: str, rows: Iterable[tuple], header: tuple[str, ...] = ("text", "label")) -> str:
        path = tmp_path / name
        with path.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([header, *rows])
        return str(path)

    return write


@pytest.fixture
def data_config(tmp_path: Path) -> Callable[..., DataConfig]:
    """Make a `data` section whose columns are known and whose cache is empty."""

    def make(**options: object) -> DataConfig:
        defaults: dict[str, object] = {
            "text_column": "text",
            "label_column": "label",
            "cache_dir": str(tmp_path / "cache"),
        }
        return DataConfig.model_validate(defaults | options)

    return make
