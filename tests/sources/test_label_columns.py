"""A column for each label: which labels a row has, and what contradicts the option."""

import json
import shlex

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tf_finetune.errors import UserError
from tf_finetune.options.data import DataConfig
from tf_finetune.sources.columns import resolve_columns
from tf_finetune.sources.fingerprints import fingerprint

ROWS = "text,rude,loud,far\none,1,0,True\ntwo,0,0.0,false\nthree,0,1.0,FALSE\n"
COLUMNS = ("rude", "loud", "far")


def labels_of(records):
    return [record.label for record in records]


def test_a_row_has_the_labels_whose_columns_hold_one(write, read):
    path = write("a.csv", ROWS)
    assert labels_of(read(path, label_columns=COLUMNS)) == [("rude", "far"), (), ("loud",)]


def test_the_order_and_choice_of_columns_are_free(write, read):
    path = write("a.csv", ROWS)
    assert labels_of(read(path, label_columns=("far", "rude"))) == [("far", "rude"), (), ()]


def test_names_may_differ_from_those_of_the_columns(write, read):
    path = write("a.tsv", "one\t1\t0\ntwo\t0\t1\n")
    options = {"header": False, "text_column": "1", "label_columns": ("2", "3")}
    assert labels_of(read(path, label_names=("rude", "loud"), **options)) == [("rude",), ("loud",)]


def test_json_and_parquet_hold_numbers_and_truth_values(write, read, tmp_path):
    rows = [{"text": "one", "a": 1, "b": False}, {"text": "two", "a": 0.0, "b": True}]
    path = write("a.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    assert labels_of(read(path, label_columns=("a", "b"))) == [("a",), ("b",)]
    table = pa.table({"text": ["one", "two"], "a": [True, False], "b": pa.array([0, 1], pa.int8())})
    pq.write_table(table, tmp_path / "a.parquet")
    assert labels_of(read(str(tmp_path / "a.parquet"), label_columns=("a", "b"))) == [
        ("a",),
        ("b",),
    ]


def test_the_task_becomes_multi_label_and_no_label_column_is_looked_for(write):
    config = resolve_columns(DataConfig(train=write("a.csv", ROWS), label_columns=COLUMNS))
    assert (config.task, config.text_column, config.label_column) == ("multi_label", "text", None)
    assert resolve_columns(config) == config


def test_everything_but_zeros_and_ones_is_a_problem(write, read):
    path = write("a.csv", "text,a,b\none,2,\ntwo,1,-1\nthree,yes,0\n")
    with pytest.raises(UserError) as error:
        read(path, label_columns=("a", "b"))
    ends = [problem.partition("a.csv, ")[2] for problem in error.value.problems]
    assert ends == [
        "row 2, column 'a': received '2'; accepted: 0 or 1, or false or true",
        "row 2, column 'b': received ''; the label is missing; accepted: 0 or 1, or false or true",
        "row 3, column 'b': received '-1'; accepted: 0 or 1, or false or true",
        "row 4, column 'a': received 'yes'; accepted: 0 or 1, or false or true",
    ]


def test_columns_that_are_not_there_are_named_with_the_nearest(write, read):
    with pytest.raises(UserError, match=r"data.label_columns: received 'lout'.*nearest is 'loud'"):
        read(write("a.csv", ROWS), label_columns=("rude", "lout"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"label_column": "loud"}, "data.label_column: received 'loud' beside data.label_columns"),
        ({"label_separator": ";"}, "data.label_separator: received ';' beside data.label_columns"),
        ({"task": "regression"}, "data.task: received regression with data.label_columns"),
        ({"label_names": ("a", "b")}, "data.label_names: received 2 names for 3 data.label_col"),
        ({"text_column": "far"}, "received 'far', which is data.text_column too"),
        ({"label_columns": ("far", "far")}, "received 'far', which is there twice"),
    ],
)
def test_options_that_contradict_are_refused(write, options, message):
    with pytest.raises(UserError, match=message):
        resolve_columns(
            DataConfig(**({"train": write("a.csv", ROWS), "label_columns": COLUMNS} | options))
        )


def test_columns_of_zeros_and_ones_are_advised_where_no_label_column_is_found(write):
    path = write("a.csv", "text,rude,loud\n" + "some text,1,0\nother text,0,1\n" * 3)
    with pytest.raises(UserError, match=r"'data.label_columns=\[rude, loud\]'$"):
        resolve_columns(DataConfig(train=path))


def test_columns_and_names_count_in_the_fingerprint_and_filled_in_names_do_not(write):
    path = write("a.csv", ROWS)

    def key(**options):
        return fingerprint(resolve_columns(DataConfig(train=path, **options)), path)

    assert key(label_columns=COLUMNS) == key(label_columns=COLUMNS, label_names=COLUMNS)
    assert key(label_columns=COLUMNS) != key(label_columns=COLUMNS[::-1])
    assert key(label_columns=COLUMNS) != key(label_columns=COLUMNS, label_names=("a", "b", "c"))


def test_the_option_that_is_advised_can_be_typed_as_it_stands(write):
    path = write("a.csv", "text,very rude,loud\n" + "a text,1,0\nanother,0,1\n" * 4)
    with pytest.raises(UserError) as error:
        resolve_columns(DataConfig(train=path))
    typed = shlex.split(str(error.value).rpartition("of 0 and 1: ")[2])
    assert typed == ["data.label_columns=[very rude, loud]"]
