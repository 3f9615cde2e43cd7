"""Whatever a file holds, reading it gives right records or an error that names the file."""

import csv
import io
import json
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tf_finetune.errors import UserError
from tf_finetune.options.data import DataConfig
from tf_finetune.sources.columns import resolve_columns
from tf_finetune.sources.fields import name_fault
from tf_finetune.sources.list_literals import parse_list
from tf_finetune.sources.reading import read_records

CHARACTERS = st.characters(codec="utf-8", exclude_characters="\0")
TEXTS = st.text(CHARACTERS, min_size=1, max_size=30)
COLUMNS = {"text_column": "text", "label_column": "label"}
ENDINGS = st.sampled_from(["csv", "tsv", "txt", "jsonl", "parquet"])


def read(content, ending, **options):
    """Records of a file of some bytes, or the error about it."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"data.{ending}"
        path.write_bytes(content)
        try:
            config = resolve_columns(DataConfig.model_validate({"train": str(path)} | options))
            return [(r.text, r.label) for r in read_records(config, str(path))]
        except UserError as error:
            message = str(error)
            assert str(path) in message or "data." in message
            assert all(c.isprintable() or c in "\n\t" for c in message)
            return error


def is_good(text, label):
    begins_well = text.strip() and not text.startswith("\ufeff")
    return bool(begins_well and label.strip() and not name_fault(label.strip()))


@settings(max_examples=60, deadline=None)
@given(rows=st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=5), as_json=st.booleans())
def test_what_was_written_is_read_or_the_first_bad_row_is_named(rows, as_json):
    if as_json:
        content = "".join(json.dumps({"text": t, "label": y}) + "\n" for t, y in rows)
    else:
        file = io.StringIO(newline="")
        csv.writer(file, quoting=csv.QUOTE_ALL).writerows([("text", "label"), *rows])
        content = file.getvalue()

    found = read(content.encode(), "jsonl" if as_json else "csv", **COLUMNS)

    if not as_json:  # rows of nothing are passed over
        rows = [row for row in rows if any(field.strip() for field in row)]
    if not rows:
        assert "has no examples" in str(found)
    elif all(is_good(*row) for row in rows):
        lists = [parse_list(label) for _, label in rows]
        if None in lists:
            assert found == [(text, label.strip()) for text, label in rows]
    else:
        assert isinstance(found, UserError)
        assert "row " in str(found)


@settings(max_examples=150, deadline=None)
@given(content=st.binary(max_size=300), ending=ENDINGS, known=st.booleans())
def test_any_bytes_give_records_or_an_error_that_names_the_file(content, ending, known):
    found = read(content, ending, **(COLUMNS if known else {}))

    assert found, "neither records nor an error"


@settings(max_examples=60, deadline=None)
@given(
    value=st.recursive(st.none() | st.booleans() | st.floats() | TEXTS, st.lists), data=st.data()
)
def test_any_json_value_as_a_label_is_read_or_named_by_row_and_column(value, data):
    task = data.draw(st.sampled_from(["single_label", "multi_label", "regression"]))
    rows = [{"text": "a", "label": value}]

    found = read("".join(map(json.dumps, rows)).encode(), "jsonl", task=task, **COLUMNS)

    if isinstance(found, UserError):
        assert "row 1" in str(found) and "'label'" in str(found)


def test_utf_16_without_a_mark_that_cannot_be_decoded_is_named(tmp_path):
    """Found by `tools/chaos fuzz`: looking for the place raised another error."""
    path = tmp_path / "data.csv"
    path.write_bytes(b"text,label\na,pos\n" + b"\x9f\xdf\x9b\x8a\x93" + b"\xff" * 93)

    with pytest.raises(UserError, match=r"data\.csv, row 1: byte 0"):
        resolve_columns(DataConfig(train=str(path), encoding="utf-16"))


def test_what_a_library_says_of_a_broken_file_is_printable():
    """Found by `tools/chaos fuzz`: thrift quotes the byte that it does not know."""
    error = read(b"PAR1" + bytes(range(32)) + b"\x10\0\0\0PAR1", "parquet")

    assert "cannot be read as Parquet" in str(error)


def test_twenty_thousand_columns_are_checked_in_a_moment():
    names = ",".join(f"c{n}" for n in range(20_000))

    assert "cannot be inferred" in str(read(f"{names}\n{names[1:]}\n".encode(), "csv"))
