"""Parquet files, good and bad."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tf_finetune.config.sections import DataConfig
from tf_finetune.data.records import Record
from tf_finetune.data.sources import read_records, resolve_columns
from tf_finetune.errors import UserError


@pytest.fixture
def write_parquet(tmp_path: Path):
    """Writes columns as a Parquet file and returns its path."""

    def write(**columns: Any) -> str:
        path = str(tmp_path / "a.parquet")
        pq.write_table(pa.table(columns), path, row_group_size=2)
        return path

    return write


def test_rows_come_in_order_over_row_groups(write_parquet, read):
    path = write_parquet(label=[0, 1, 0], text=["one", "two", "three"], idx=[7, 8, 9])
    assert read(path) == [
        Record(1, "one", None, "0"),
        Record(2, "two", None, "1"),
        Record(3, "three", None, "0"),
    ]


def test_dictionary_columns_and_booleans_are_read_as_labels(write_parquet, read):
    coded = pa.array(["good", "bad"]).dictionary_encode()
    assert [r.label for r in read(write_parquet(text=["a", "b"], label=coded))] == ["good", "bad"]
    path = write_parquet(text=["a", "b"], label=[True, False])
    assert [r.label for r in read(path)] == ["1", "0"]


def test_list_column_makes_the_task_multi_label(write_parquet):
    path = write_parquet(text=["a", "b"], tags=[["x", "y"], []])
    config = resolve_columns(DataConfig(train=path))
    assert (config.label_column, config.task) == ("tags", "multi_label")
    assert [record.label for record in read_records(config, path)] == [("x", "y"), ()]


def test_decimal_targets_are_numbers(write_parquet, read):
    path = write_parquet(text=["a"], score=pa.array(["1.50"]).cast(pa.decimal128(5, 2)))
    assert read(path, task="regression")[0].label == 1.5


def test_nulls_are_problems(write_parquet, read):
    path = write_parquet(text=["a", None, "c"], label=["x", "y", None])
    with pytest.raises(UserError) as error:
        read(path)
    assert "row 2, column 'text': received None" in error.value.problems[0]
    assert "row 3, column 'label': received None" in error.value.problems[1]


def test_file_that_is_no_parquet_is_a_problem(write, read):
    with pytest.raises(UserError, match=r"a.parquet: cannot be read as Parquet: "):
        read(write("a.parquet", "text,label\n"))


def test_damaged_pages_end_the_reading(write_parquet):
    path = write_parquet(text=["one", "two"], label=["x", "y"])
    content = bytearray(Path(path).read_bytes())
    content[4:40] = b"\xff" * 36
    Path(path).write_bytes(content)
    config = DataConfig(text_column="text", label_column="label")
    with pytest.raises(UserError, match=r"a.parquet: cannot be read after row 0: "):
        list(read_records(config, path))


def test_duplicate_column_names_are_a_problem(tmp_path, read):
    path = str(tmp_path / "a.parquet")
    table = pa.Table.from_arrays([pa.array(["a"]), pa.array(["b"])], names=["text", "text"])
    pq.write_table(table, path)
    with pytest.raises(UserError, match=r"column name 'text' occurs more than once"):
        read(path)


def test_file_without_rows_is_a_problem(write_parquet, read):
    path = write_parquet(text=pa.array([], pa.string()), label=pa.array([], pa.string()))
    with pytest.raises(UserError, match=r"has no examples, only the column names"):
        read(path)
