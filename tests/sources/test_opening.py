"""Finding a source and its format."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tf_finetune.errors import UserError
from tf_finetune.options.data import DataConfig
from tf_finetune.sources.columns import resolve_columns
from tf_finetune.sources.opening import open_table
from tf_finetune.sources.problems import Problems
from tf_finetune.sources.reading import read_records


def test_missing_file_suggests_the_nearest_name(write, tmp_path):
    write("train.tsv", "text\tlabel\n")
    with pytest.raises(
        UserError, match=r"trian.tsv: no such file or folder; the nearest name there is 'train.tsv'"
    ):
        resolve_columns(DataConfig(train=str(tmp_path / "trian.tsv")))


def test_missing_folder_is_said_to_be_missing(tmp_path):
    with pytest.raises(UserError, match=r"a.csv: no such file or folder; there is no folder .*b"):
        resolve_columns(DataConfig(train=str(tmp_path / "b" / "a.csv")))


def test_all_missing_sources_are_named_at_once(tmp_path):
    names = {part: str(tmp_path / f"{part}.csv") for part in ("train", "validation", "test")}
    with pytest.raises(UserError) as error:
        resolve_columns(DataConfig(**names))
    assert len(error.value.problems) == 3


@pytest.mark.parametrize("source", ["builtin:docstring", "hub:imdb"])
def test_unknown_kind_of_source_lists_what_there_is(source):
    with pytest.raises(UserError, match=r"accepted: tfds:NAME, builtin:docstrings, a file"):
        resolve_columns(DataConfig(train=source))


def test_unknown_ending_lists_the_known_ones(write):
    path = write("a.dat", "text,label\na,b\n")
    with pytest.raises(UserError, match=r"the ending '.dat' names no format; accepted: .csv, "):
        resolve_columns(DataConfig(train=path))
    assert resolve_columns(DataConfig(train=path, format="csv")).format == "csv"


def test_each_source_goes_by_its_own_ending(write):
    train = write("a.csv", "text,label\na,b\n")
    test = write("b.jsonl", '{"text": "a", "label": "b"}\n')
    config = resolve_columns(DataConfig(train=train, test=test))
    assert config.format == "auto"
    assert next(read_records(config, test, split="test")).row == 1


def test_folder_and_file_must_fit_the_format(write, tmp_path):
    path = write("a.csv", "text,label\na,b\n")
    write("classes/pos/1.txt", "fine")
    with pytest.raises(UserError, match=r"is a folder without data files, but data.format is csv"):
        resolve_columns(DataConfig(train=str(tmp_path / "classes"), format="csv"))
    with pytest.raises(UserError, match=r"is a file, but data.format is folder"):
        resolve_columns(DataConfig(train=path, format="folder"))


def test_empty_file_of_any_format_is_said_to_be_empty(write):
    with pytest.raises(UserError, match=r"a.parquet: is empty"):
        resolve_columns(DataConfig(train=write("a.parquet", "")))


def test_reading_needs_resolved_columns(write):
    path = write("a.csv", "text,label\na,b\n")
    with pytest.raises(ValueError, match="resolve_columns"):
        read_records(DataConfig(train=path), path)


def test_missing_column_is_found_before_the_first_row(write):
    path = write("a.csv", "text,label\na,b\n")
    with pytest.raises(UserError, match=r"data.label_column: received 'tag'"):
        read_records(DataConfig(text_column="text", label_column="tag"), path)


@pytest.mark.parametrize("ending", ["csv", "jsonl", "txt", "parquet"])
def test_file_that_vanishes_before_it_is_read_is_named(write, ending):
    content = '{"text": "a", "label": "x"}\n' if ending == "jsonl" else "text\tlabel\na\tx\n"
    path = write(f"a.{ending}", content)
    if ending == "parquet":
        pq.write_table(pa.table({"text": ["a"], "label": ["x"]}), path)
    table = open_table(DataConfig(delimiter="\t" if ending == "csv" else None), path)
    Path(path).unlink()
    with pytest.raises(UserError, match=rf"a.{ending}: cannot be read.*No such file"):
        list(table.rows(Problems()))
    with pytest.raises(UserError, match=rf"a.{ending}: cannot be read: No such file"):
        list(table.content())
