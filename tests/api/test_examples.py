"""Examples in every form that people have become the same rows."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import tensorflow as tf

from tf_finetune.api.examples import source_of, splits_in
from tf_finetune.errors import UserError
from tf_finetune.options.data import DataConfig
from tf_finetune.sources.columns import resolve_columns
from tf_finetune.sources.reading import read_records

TEXTS = ["a good film", "a dull plot", "great fun"]
LABELS = ["pos", "neg", "pos"]
COLUMNS = {"text": TEXTS, "label": LABELS}
FRAME = pd.DataFrame(COLUMNS)


def read(data, **options):
    """What the program reads, as texts and labels."""
    source = source_of(data, "data")
    assert not isinstance(source, str)
    config = resolve_columns(DataConfig(train=source.source, **options))
    records = list(read_records(config, source.source))
    return [(r.text, r.text_pair, r.label) for r in records]


EXPECTED = [(text, None, label) for text, label in zip(TEXTS, LABELS, strict=True)]


class FakeStream:
    """What polars and others offer."""

    def __arrow_c_stream__(self, requested_schema=None):
        return pa.table(COLUMNS).__arrow_c_stream__(requested_schema)


@pytest.mark.parametrize(
    "data",
    [
        FRAME,
        FRAME.set_index(pd.Index(["x", "y", "z"])),
        FRAME.astype({"label": "category"}),
        COLUMNS,
        {"text": np.array(TEXTS), "label": pd.Series(LABELS)},
        [{"text": text, "label": label} for text, label in zip(TEXTS, LABELS, strict=True)],
        (TEXTS, LABELS),
        (pd.Series(TEXTS, index=[7, 8, 9]), np.array(LABELS, object)),
        pa.table(COLUMNS),
        FakeStream(),
        lambda: tf.data.Dataset.from_tensor_slices((TEXTS, LABELS)),
        lambda: tf.data.Dataset.from_tensor_slices((TEXTS, LABELS)).batch(2),
        lambda: tf.data.Dataset.from_tensor_slices(COLUMNS),
    ],
    ids=[
        *("frame", "indexed frame", "categories", "columns", "arrays", "records", "pair", "series"),
        *("arrow", "stream", "tf.data", "batches", "tf.data of columns"),
    ],
)
def test_each_form_holds_the_same_examples(data):
    assert read(data() if callable(data) else data) == EXPECTED


def test_pairs_of_texts_come_from_tf_data():
    data = tf.data.Dataset.from_tensor_slices(((TEXTS, TEXTS[::-1]), [0, 1, 0]))

    assert read(data, text_pair_column="text_pair")[0] == ("a good film", "great fun", "0")


def test_class_names_of_the_datasets_library_are_read_from_its_schema():
    metadata = (
        '{"info": {"features": {"text": {"_type": "Value"}, '
        '"label": {"_type": "ClassLabel", "names": ["neg", "pos"]}}}}'
    )
    schema = pa.schema([("text", pa.string()), ("label", pa.int64())])
    schema = schema.with_metadata({"huggingface": metadata})

    assert read(pa.table({"text": TEXTS, "label": [1, 0, 1]}, schema=schema)) == EXPECTED


def test_paths_are_sources_as_they_are(tmp_path):
    assert source_of(tmp_path / "x.csv", "data") == str(tmp_path / "x.csv")
    assert source_of("tfds:imdb", "data") == "tfds:imdb"
    assert isinstance(source_of(Path("x"), "data"), str)


def test_same_content_has_the_same_name_in_another_object():
    one, other = (source_of(pd.DataFrame(COLUMNS), "data") for _ in range(2))
    changed = source_of(FRAME.assign(label=["pos", "neg", "neg"]), "data")

    assert one.source == other.source
    assert one.source != changed.source


def test_many_rows_are_read_in_pieces():
    count = 3000
    data = {"text": [f"text {n}" for n in range(count)], "label": [n % 2 for n in range(count)]}

    assert [text for text, _, _ in read(data)] == data["text"]


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (3, "data: received an int; accepted: a DataFrame, a path"),
        ([1, 2], "data: received a list of int; accepted"),
        (pd.DataFrame({"text": [], "label": []}), "the DataFrame is empty: 0 rows, 2 columns"),
        ({"text": TEXTS, "label": [1]}, "differ in length: text has 3, label has 1"),
        ({"text": TEXTS, "label": "pos"}, "label is no list"),
        (pd.DataFrame([["a", "b"]], columns=["x", "x"]), "occur more than once: x"),
        (
            lambda: tf.data.Dataset.from_tensor_slices(TEXTS),
            "neither (text, label) nor dictionaries",
        ),
    ],
)
def test_what_is_no_table_is_named(data, problem):
    with pytest.raises(UserError) as raised:
        source_of(data() if callable(data) else data, "data")
    assert problem in str(raised.value)


def test_column_of_mixed_types_is_named_only_where_it_is_used():
    data = FRAME.assign(note=[{"a": 1}, "text", 3])

    assert read(data) == EXPECTED
    with pytest.raises(UserError, match="received 'note', a column of type dict and str and int"):
        read(data, label_column="note")


def test_missing_label_is_told_with_its_index():
    data = FRAME.set_index(pd.Index(["x", "y", "z"])).assign(label=["pos", None, "neg"])

    with pytest.raises(UserError, match=r"DataFrame \(train\), row 2 \(index 'y'\)"):
        read(data)


def test_examples_are_there_until_the_last_holder_lets_go():
    first, second = (source_of(pd.DataFrame(COLUMNS), "data") for _ in range(2))
    config = DataConfig(train=first.source)

    del second
    assert resolve_columns(config).label_column == "label"
    del first
    with pytest.raises(UserError, match="nobody holds"):
        resolve_columns(config)


def test_examples_that_nobody_holds_are_gone():
    config = DataConfig(train=source_of(pd.DataFrame(COLUMNS), "data").source)

    with pytest.raises(UserError, match="given in Python, which nobody holds any more"):
        resolve_columns(config)


def test_splits_are_told_from_columns():
    assert splits_in({"train": FRAME, "test": FRAME}).keys() == {"train", "test"}
    assert splits_in({"train": TEXTS, "test": LABELS}) is None
    assert splits_in(COLUMNS) is None
