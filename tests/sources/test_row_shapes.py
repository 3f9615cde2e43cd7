"""Rows with more or fewer fields than columns, and columns without a name."""

import pytest

from tf_finetune.errors import UserError
from tf_finetune.options.data import DataConfig
from tf_finetune.sources import row_shapes
from tf_finetune.sources.reading import read_texts


def labels(records):
    return [record.label for record in records]


@pytest.mark.parametrize("row", ["ham,see you at six", "ham,see you at six,", "ham,see you,,,,"])
def test_fields_without_a_name_may_be_missing_or_empty(write, notes_of, row):
    path = write("a.csv", f"v1,v2,,,\nspam,you have won a lot,,,\n{row}\n")
    records, notes = notes_of(path)
    assert labels(records) == ["spam", "ham"] and not notes


def test_delimiters_at_the_end_of_rows_are_let_be(write, read):
    assert labels(read(write("a.csv", "text,label\none,x,\ntwo,y,,\n"))) == ["x", "y"]


def test_text_in_columns_without_a_name_is_told(write, notes_of):
    path = write("a.csv", "v1,v2,,\nspam,you have won,,\nham,see you, at six,\nham,ok, yes,no\n")
    (note,) = notes_of(path)[1]
    assert note.startswith("rows with text in columns without a name")
    assert note.endswith(": 2, such as row 3: ' at six'")


def test_a_column_of_row_numbers_is_neither_text_nor_label(write, notes_of):
    for name in ("", "Unnamed: 0", "Unnamed: 0.1"):
        rows = "".join(f"{n},a text of words {n},{n % 2}\n" for n in range(8))
        records, notes = notes_of(write("a.csv", f"{name},remark,kind\n{rows}"))
        assert records[3].text == "a text of words 3" and records[3].label == "1" and not notes


def test_a_row_may_lack_a_named_column_that_nothing_uses_if_its_label_is_known(write, notes_of):
    path = write("a.csv", "text,label,source\none,y\ntwo,x,web\nthree,y,web\n")
    records, notes = notes_of(path, text_column="text", label_column="label")
    assert labels(records) == ["y", "x", "y"]
    assert notes == ["rows without the last columns, which nothing uses: 1, such as row 2"]


def test_a_row_whose_label_would_be_a_field_that_moved_is_refused(write, read):
    path = write("a.csv", "label,text,source\nx,one,web\ntwo is cut,web\ny,three,web\n")
    with pytest.raises(UserError) as error:
        read(path, text_column="text", label_column="label")
    assert error.value.problems == [
        f"{path}, row 3: has 2 fields; accepted: 3, as in the header (its label would be "
        "'two is cut', which stands in no complete row)"
    ]


def test_ever_new_labels_of_short_rows_end_the_reading(write, read, monkeypatch):
    monkeypatch.setattr(row_shapes, "_LABELS_KEPT", 3)
    path = write("a.csv", "label,text,id\nx,one,1\n" + "".join(f"{n},t\n" for n in range(9)))
    with pytest.raises(UserError, match=r"row 6: too many rows have too few fields"):
        read(path, text_column="text", label_column="label")


def test_a_row_that_lacks_a_column_in_use_names_it(write, read):
    path = write("a.csv", "text,source,label\none,web,x\ntwo,web\n")
    with pytest.raises(UserError, match=r"row 3: has 2 fields.*\(the column 'label' is missing\)"):
        read(path, text_column="text", label_column="label")


def test_texts_to_predict_may_lack_their_labels(write):
    path = write("a.csv", "text,label,id\none,,1\ntwo,\n")
    config = DataConfig(text_column="text", label_column="label")
    assert [record.text for record in read_texts(config, path)] == ["one", "two"]


def test_what_extra_columns_ignore_leaves_out_is_told(write, notes_of):
    path = write("a.csv", "text,label\none,x,extra\ntwo,y\n")
    (note,) = notes_of(path, extra_columns="ignore")[1]
    assert "which were left out (data.extra_columns: ignore): 1, such as row 2: 'extra'" in note


def test_a_repeated_header_is_skipped_and_told(write, notes_of):
    path = write("a.csv", "text,label\none,x\ntext , label\ntwo,y\ntext,label\n")
    records, notes = notes_of(path)
    assert labels(records) == ["x", "y"]
    assert notes[0].endswith("which were skipped: 2, such as row 3")


def test_a_text_that_is_called_as_its_only_column_stays(write):
    path = write("a.csv", "text\none\ntext\ntwo\n")
    found = read_texts(DataConfig(text_column="text"), path)
    assert [record.text for record in found] == ["one", "text", "two"]


def test_a_header_of_another_order_is_refused(write, read):
    path = write("a.csv", "text,label\none,x\nlabel,text\ny,two\n")
    with pytest.raises(UserError, match=r"row 3: holds the column names in another order"):
        read(path)


def test_without_a_header_nothing_is_taken_for_one(write, read):
    path = write("a.csv", "text,label\nlabel,text\n")
    found = read(path, header=False, text_column="2", label_column="1")
    assert labels(found) == ["text", "label"]
