"""CSV, TSV and tab-separated .txt files, good and bad."""

import csv
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tf_finetune.errors import UserError
from tf_finetune.options.data import DataConfig
from tf_finetune.sources import dialects
from tf_finetune.sources.reading import read_records
from tf_finetune.sources.records import Record


def test_csv_keeps_quoted_commas_quotes_and_line_breaks(write, read):
    path = write("a.csv", 'text,label\n"one, ""two""\nthree",x\nfour,y\n')
    assert read(path) == [
        Record(2, 'one, "two"\nthree', None, "x"),
        Record(4, "four", None, "y"),
    ]


def test_tsv_takes_quotes_as_ordinary_characters(write, read):
    path = write("a.tsv", 'text\tlabel\n"open\t1\nsay "hi"\t0\n')
    assert read(path) == [Record(2, '"open', None, "1"), Record(3, 'say "hi"', None, "0")]


def test_tsv_with_standard_quoting_unquotes(write, read):
    path = write("a.tsv", 'text\tlabel\n"a\tb"\t1\n')
    assert read(path, quoting="standard") == [Record(2, "a\tb", None, "1")]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_kind_of_line_end_gives_the_same_rows(write, read, end):
    path = write("a.csv", end.join(["text,label", "one,x", "two,y", "", ""]))
    assert read(path) == [Record(2, "one", None, "x"), Record(3, "two", None, "y")]


def test_labels_are_stripped_and_texts_are_not(write, read):
    path = write("a.csv", "text , label\n one , x \n")
    assert read(path) == [Record(2, " one ", None, "x")]


def test_txt_with_tabs_is_read_as_tsv(write, read):
    path = write("a.txt", "good\t1\nbad\t0\n")
    assert read(path, header=False) == [Record(1, "good", None, "1"), Record(2, "bad", None, "0")]


def test_pairs_with_targets_from_a_file_without_header_and_with_ragged_ends(write, read):
    path = write(
        "sts.csv",
        'news\tx\t2012\t01\t5.000\tA "plane.\tAn air plane.\textra\tmore\n'
        "news\tx\t2012\t02\t0.5\tA man.\tA woman.\n",
    )
    records = read(
        path,
        header=False,
        delimiter="\t",
        quoting="none",
        extra_columns="ignore",
        text_column="6",
        text_pair_column="7",
        label_column="5",
        task="regression",
    )
    assert records == [
        Record(1, 'A "plane.', "An air plane.", 5.0),
        Record(2, "A man.", "A woman.", 0.5),
    ]


def test_without_header_a_row_that_lacks_a_column_in_use_is_a_problem(write, read):
    path = write("a.tsv", "one\tx\tmore\ntwo\n")
    with pytest.raises(UserError, match=r"a.tsv, row 2, column '2': received nothing"):
        read(path, header=False, extra_columns="ignore", text_column="1", label_column="2")


def test_unnamed_columns_of_spreadsheets_are_let_be(write, read):
    path = write("spam.csv", "v1,v2,,,\nham,see you at five then,,,\nspam,you have won a lot,,,\n")
    assert [record.label for record in read(path)] == ["ham", "spam"]


def test_ragged_rows_are_all_named(write, read):
    path = write("a.csv", "text,label\none,x\ntwo\nthree,y,z\n")
    with pytest.raises(UserError) as error:
        read(path)
    assert [problem.partition("a.csv")[2] for problem in error.value.problems] == [
        ", row 3: has 1 fields; accepted: 2, as in the header (the column 'label' is missing)",
        ", row 4: has 3 fields; accepted: 2, as in the header (a text that holds the delimiter has "
        "to be quoted; else its end, and what follows it, come into the next columns: 'three', "
        "'y', 'z')",
    ]


def test_extra_columns_ignore_still_rejects_rows_shorter_than_the_header(write, read):
    path = write("a.csv", "text,label\none,x,extra\ntwo\n")
    with pytest.raises(UserError, match=r"^\S+a.csv, row 3: has 1 fields") as error:
        read(path, extra_columns="ignore")
    assert len(error.value.problems) == 1


def test_twenty_problems_are_shown_and_the_rest_counted(write, read):
    path = write("a.csv", "text,label\ngood,x\n" + ",x\n" * 1030)
    with pytest.raises(UserError) as error:
        read(path)
    assert len(error.value.problems) == 21
    assert "row 22, column 'text'" in error.value.problems[19]
    assert error.value.problems[20] == "and 1,010 more like these"


def test_good_rows_come_before_the_problems_are_raised(write):
    path = write("a.csv", "text,label\n,x\ngood,x\n")
    records = read_records(DataConfig(text_column="text", label_column="label"), path)
    assert next(records) == Record(3, "good", None, "x")
    with pytest.raises(UserError, match=r"row 2, column 'text': received ''"):
        next(records)


def test_blank_lines_and_rows_of_empty_fields_are_skipped_and_counted(write, notes_of):
    path = write("a.csv", "text,label\n\none,x\n , \ntwo,y\n\n,,\n")
    records, notes = notes_of(path)
    assert [record.row for record in records] == [3, 5]
    assert notes == ["blank lines, which were skipped: 4, such as row 2"]


@pytest.mark.parametrize("content", ["", "\n\n", "\ufeff"])
def test_empty_file_is_said_to_be_empty(write, read, content):
    with pytest.raises(UserError, match=r"a.csv: is empty"):
        read(write("a.csv", content))


def test_header_without_rows_is_a_problem(write, read):
    with pytest.raises(UserError, match=r"has no examples, only the column names 'text', 'label'"):
        read(write("a.csv", "text,label\n"))


def test_wrong_delimiter_names_the_one_that_gives_more_columns(write, read):
    path = write("a.csv", "text;label\none;x\n")
    with pytest.raises(
        UserError, match=r"with delimiter ',' row 1 is one field, .* 2; set 'data.delimiter=;'"
    ):
        read(path)
    with pytest.raises(UserError, match=r"data.text_column: received 'text'.*with ';' it would"):
        read(path, text_column="text", label_column="label")
    assert read(path, delimiter=";") == [Record(2, "one", None, "x")]


@pytest.mark.parametrize("delimiter", ["\n", '"'])
def test_impossible_delimiter_is_refused(write, read, delimiter):
    with pytest.raises(UserError, match=r"data.delimiter: received "):
        read(write("a.csv", "text,label\n"), delimiter=delimiter)


def test_duplicate_column_names_are_a_problem(write, read):
    path = write("a.csv", "text,label,text,label\na,b,c,d\n")
    with pytest.raises(UserError, match=r"row 1: column name 'label', 'text' occurs more than"):
        read(path)


def test_text_after_a_closing_quote_is_a_problem_and_reading_goes_on(write, read):
    path = write("a.csv", 'text,label\n"one" two,x\n,y\n')
    with pytest.raises(UserError) as error:
        read(path, text_column="text", label_column="label")
    first, second = error.value.problems
    assert "row 2: ',' expected after '\"'" in first and "written twice" in first
    assert "row 3, column 'text'" in second


def test_quote_that_is_never_closed_names_the_row_in_which_it_opens(write):
    path = write("a.csv", 'text,label\n,x\n"two,y\nthree,z\n')
    config = DataConfig(text_column="text", label_column="label")
    with pytest.raises(UserError) as error:
        list(read_records(config, path))
    first, second = error.value.problems
    assert "row 2, column 'text'" in first
    assert "row 3: a quote opens here and is never closed" in second
    assert second.endswith("(reading stopped here)")


def test_fields_longer_than_the_csv_modules_own_limit_are_read(write, read):
    long = "word " * 40_000
    path = write("a.csv", f"text,label\n{long},x\n")
    assert read(path)[0].text == long


def test_field_beyond_our_limit_is_a_problem(write, read, monkeypatch):
    before = csv.field_size_limit(10)
    monkeypatch.setattr(dialects, "FIELD_LIMIT", 10)
    try:
        with pytest.raises(UserError, match=r"row 2: a field has more than 10 characters"):
            read(write("a.csv", "text,label\nmore than ten characters,x\n"))
    finally:
        csv.field_size_limit(before)


def test_nul_characters_are_a_problem(write, read):
    path = write("a.csv", "text,label\none\0two,x\n")
    with pytest.raises(UserError, match=r"row 2: holds NUL characters; accepted: text$") as error:
        read(path)
    assert len(error.value.problems) == 1


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50, deadline=None
)
@given(content=st.binary(max_size=200))
def test_arbitrary_bytes_give_records_or_a_user_error(tmp_path: Path, content):
    path = tmp_path / "fuzz.csv"
    path.write_bytes(b"text,label\n" + content)
    config = DataConfig(text_column="text", label_column="label")
    try:
        for record in read_records(config, str(path)):
            assert record.text.strip() and record.label
    except UserError as error:
        assert error.problems
