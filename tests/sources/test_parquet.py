"""Parquet files, good and bad."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tf_finetune.errors import UserError
from tf_finetune.options.data import DataConfig
from tf_finetune.sources import parquet
from tf_finetune.sources.columns import resolve_columns
from tf_finetune.sources.opening import open_table
from tf_finetune.sources.problems import Problems
from tf_finetune.sources.reading import read_records
from tf_finetune.sources.records import Record
from tf_finetune.sources.table import Row


@pytest.fixture
def write_parquet(tmp_path: Path):
    """Writes columns as a Parquet file and returns its path."""

    def write(**columns: Any) -> str:
        path = str(tmp_path / "a.parquet")
        pq.write_table(pa.table(columns), path, row_group_size=2)
        return path

    return write


def rows_of(path: str) -> list[Row]:
    """The rows of a file while its columns are still to be inferred."""
    return list(open_table(DataConfig(), path).rows(Problems()))


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


def test_columns_that_are_neither_text_nor_label_are_not_read(write_parquet, read):
    beyond_python = pa.array([4_000_000, 1], pa.date32())  # the year 12921
    elsewhere = pa.array([1, 2], pa.timestamp("us", "No/Where"))
    path = write_parquet(text=["a", "b"], label=["x", "y"], made=beyond_python, seen=elsewhere)
    assert read(path) == [Record(1, "a", None, "x"), Record(2, "b", None, "y")]


def test_named_column_of_another_type_is_a_problem(write_parquet, read):
    made = pa.array([4_000_000, 1], pa.date32())
    path = write_parquet(text=["a", "b"], label=made, score=pa.array([b"1", b"2"]))
    with pytest.raises(UserError, match=r"data.label_column: received 'label', a column of type "):
        read(path)
    config = DataConfig(text_column="score", label_column="text")
    with pytest.raises(UserError, match=r"data.text_column: received 'score', .* type binary; acc"):
        list(read_records(config, path))
    config = DataConfig(text_column="text", label_column="label")
    assert [r.text for r in read_records(config, path, labelled=False)] == ["a", "b"]


def test_row_that_is_not_in_utf_8_ends_the_reading_there(write_parquet, read):
    ends, content = np.array([0, 1, 2, 3], np.int32), b"ab\xff"
    texts = pa.Array.from_buffers(pa.string(), 3, [None, pa.py_buffer(ends), pa.py_buffer(content)])
    path = write_parquet(text=texts, label=["x", "y", "x"])
    with pytest.raises(UserError, match=r"a.parquet: cannot be read after row 2: 'utf-8' codec"):
        list(read_records(DataConfig(text_column="text", label_column="label"), path))


def test_rows_that_refer_to_one_large_text_share_it(tmp_path):
    path, rows = str(tmp_path / "a.parquet"), pa.array([0] * 1024, pa.int32())
    texts = pa.DictionaryArray.from_arrays(rows, pa.array(["a" * 2**20]))
    tags = pa.ListArray.from_arrays(pa.array(range(1025), pa.int32()), texts)
    pq.write_table(pa.table({"text": texts, "tags": tags}), path, store_schema=False)
    assert pq.read_schema(path).field("text").type == pa.string()
    values = [row.values for row in rows_of(path)]
    assert len({id(value["text"]) for value in values}) == 1
    assert len({id(value["tags"][0]) for value in values}) == 1
    assert [len(value["tags"]) for value in values] == [1] * 1024


def test_rows_that_are_large_on_average_come_fewer_at_once(write_parquet, monkeypatch):
    monkeypatch.setattr(parquet, "BATCH_BYTES", 1)
    path = write_parquet(text=["one", "two", "three"], label=[None, "y", "x"])
    assert [row.values["text"] for row in rows_of(path)] == ["one", "two", "three"]


def test_dictionary_that_a_writer_gave_up_is_read(tmp_path, read):
    path, texts = str(tmp_path / "a.parquet"), [f"text {number}" for number in range(3000)]
    table = pa.table({"text": pa.array(texts, pa.large_string()), "label": ["x", "y"] * 1500})
    pq.write_table(table, path, dictionary_pagesize_limit=500, data_page_size=100)
    assert [record.text for record in read(path)] == texts
