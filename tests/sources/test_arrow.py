"""Arrow files and streams, and names of classes in the schema."""

import json
import struct

import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest

from tf_finetune.errors import UserError
from tf_finetune.options.data import DataConfig
from tf_finetune.sources.columns import resolve_columns
from tf_finetune.sources.fingerprints import fingerprint
from tf_finetune.sources.reading import read_records


def features(**names):
    """The metadata of a schema as the datasets library writes it."""
    found = {name: {"names": list(of), "_type": "ClassLabel"} for name, of in names.items()}
    found["text"] = {"dtype": "string", "_type": "Value"}
    return {b"huggingface": json.dumps({"info": {"features": found}}).encode()}


def a_table(labels=("x", "y"), metadata=None):
    texts = [f"text {number}" for number in range(len(labels))]
    return pa.table({"text": texts, "label": labels}).replace_schema_metadata(metadata)


def write_file(path, table, **options):
    with pa.ipc.new_file(str(path), table.schema, **options) as file:
        file.write_table(table)


def write_stream(path, table):
    with pa.ipc.new_stream(str(path), table.schema) as file:
        file.write_table(table)


def write_feather(path, table):
    pyarrow.feather.write_feather(table, str(path), compression="zstd")


@pytest.mark.parametrize("name", ["a.arrow", "a.feather", "a.ipc"])
@pytest.mark.parametrize("write_table", [write_file, write_stream, write_feather])
def test_files_and_streams_are_read_whatever_their_names(tmp_path, read, name, write_table):
    write_table(tmp_path / name, a_table())
    found = read(str(tmp_path / name))
    assert [(r.row, r.text, r.label) for r in found] == [(1, "text 0", "x"), (2, "text 1", "y")]


@pytest.mark.parametrize("write_table", [write_file, write_stream])
def test_more_rows_than_are_converted_at_once_come_in_their_order(tmp_path, read, write_table):
    write_table(tmp_path / "a.arrow", a_table(["x", "y", "z"] * 1000))
    assert [record.text for record in read(str(tmp_path / "a.arrow"))] == [
        f"text {number}" for number in range(3000)
    ]


@pytest.mark.parametrize("write_table", [write_file, write_stream, write_feather])
def test_damaged_files_are_named(tmp_path, read, write_table):
    path = tmp_path / "a.arrow"
    write_table(path, a_table(["x", "y", "z"] * 100))
    whole = path.read_bytes()
    for length in (4, 7, len(whole) // 3, len(whole) // 2):
        path.write_bytes(whole[:length])
        with pytest.raises(UserError, match=r"a.arrow: cannot be read"):
            read(str(path), text_column="text", label_column="label")


def test_offsets_that_lead_out_of_the_file_are_refused(tmp_path, read):
    path = tmp_path / "a.arrow"
    write_stream(path, a_table())
    good, bad = (struct.pack("<3i", 0, 6, end) for end in (12, 2**31 - 1))
    assert path.read_bytes().count(good) == 1
    path.write_bytes(path.read_bytes().replace(good, bad))
    with pytest.raises(UserError, match=r"a.arrow: cannot be read after row 0"):
        read(str(path), text_column="text", label_column="label")


def write_parquet(path, table):
    pq.write_table(table, str(path))


@pytest.mark.parametrize(
    ("name", "write_table"),
    [("a.parquet", write_parquet), ("a.arrow", write_stream), ("a.feather", write_file)],
)
def test_names_of_classes_in_the_schema_become_the_labels(tmp_path, name, write_table):
    table = a_table([1, 0, 1], features(label=["bad", "good", "never"]))
    write_table(tmp_path / name, table)
    config = resolve_columns(DataConfig(train=str(tmp_path / name)))
    assert config.label_names == ("bad", "good", "never")
    labels = [record.label for record in read_records(config, str(tmp_path / name))]
    assert labels == ["good", "bad", "good"]


def test_every_file_goes_by_its_own_names(tmp_path):
    write_stream(tmp_path / "a.arrow", a_table([0, 1], features(label=["bad", "good"])))
    write_stream(tmp_path / "b.arrow", a_table([0, 1], features(label=["good", "bad"])))
    train, test = str(tmp_path / "a.arrow"), str(tmp_path / "b.arrow")
    config = resolve_columns(DataConfig(train=train, test=test))
    assert [record.label for record in read_records(config, test)] == ["good", "bad"]


def test_label_names_that_are_given_count(tmp_path):
    write_stream(tmp_path / "a.arrow", a_table([0, 1], features(label=["LABEL_0", "LABEL_1"])))
    path = str(tmp_path / "a.arrow")
    config = resolve_columns(DataConfig(train=path, label_names=("bad", "good")))
    assert config.label_names == ("bad", "good")
    assert [record.label for record in read_records(config, path)] == ["0", "1"]


@pytest.mark.parametrize(
    ("name", "write_table"), [("a.parquet", write_parquet), ("a.arrow", write_stream)]
)
def test_what_is_kept_with_the_names_of_classes_is_not_read_as_integers(
    tmp_path, name, write_table
):
    path = tmp_path / name
    write_table(path, a_table([0, 1], features(label=["LABEL_0", "LABEL_1"])))
    config = DataConfig(text_column="text", label_column="label")
    given = config.model_copy(update={"label_names": ("bad", "good")})
    assert fingerprint(config, str(path)) != fingerprint(given, str(path))


def test_lists_of_classes_have_names_and_integers_without_one_stay(tmp_path):
    metadata = features()
    content = json.loads(metadata[b"huggingface"])
    content["info"]["features"]["label"] = {
        "feature": {"names": ["a", "b"], "_type": "ClassLabel"},
        "_type": "Sequence",
    }
    table = a_table([[0, 1], [], [-1]], {b"huggingface": json.dumps(content).encode()})
    write_stream(tmp_path / "a.arrow", table)
    config = resolve_columns(DataConfig(train=str(tmp_path / "a.arrow")))
    assert (config.task, config.label_names) == ("multi_label", ("a", "b"))
    found = [record.label for record in read_records(config, str(tmp_path / "a.arrow"))]
    assert found == [("a", "b"), (), ("-1",)]


@pytest.mark.parametrize(
    "metadata",
    [
        b"[" * 100_000,
        b"7",
        b'{"info": {"features": ["label"]}}',
        b'{"info": {"features": {"label": {"_type": "ClassLabel", "names": 7}}}}',
        b'{"info": {"features": {"label": {"_type": "ClassLabel", "names": ["a", "a"]}}}}',
        b"\xff",
    ],
)
def test_metadata_that_is_something_else_is_let_be(tmp_path, read, metadata):
    write_stream(tmp_path / "a.arrow", a_table([1, 0], {b"huggingface": metadata}))
    assert [record.label for record in read(str(tmp_path / "a.arrow"))] == ["1", "0"]
