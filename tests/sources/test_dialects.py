"""Which way of quoting a file shows, and lines that are no rows."""

import pytest

from tf_finetune.errors import UserError
from tf_finetune.sources.records import Record

NOTE = r"quotes inside a field are written \", as the file shows"


def texts(records):
    return [(record.text, record.label) for record in records]


def test_quotes_that_are_escaped_with_backslashes_are_recognised(write, notes_of):
    path = write("a.csv", 'text,label\n"He said \\"no\\", and left",1\n"a ""b"", c",0\n')
    records, notes = notes_of(path)
    assert texts(records) == [('He said "no", and left', "1"), ('a "b", c', "0")]
    assert [note.startswith(NOTE) for note in notes] == [True]


def test_backslashes_that_escape_nothing_stay(write, read):
    path = write("a.csv", 'text,label\n"C:\\new \\"x\\"",\\N\n"a \\\\ b",1\n"two\\\nlines",1\n')
    assert texts(read(path)) == [
        ('C:\\new "x"', "\\N"),
        ("a \\ b", "1"),
        ("two\\\nlines", "1"),
    ]


@pytest.mark.parametrize(
    "row",
    ['"ends with a backslash \\",pos', '"C:\\",pos', '"a ""quoted\\"" word",pos', '\\"plain,pos'],
)
def test_a_file_that_is_right_in_the_standard_way_is_read_so(write, notes_of, row):
    path = write("a.csv", f"text,label\n{row}\nfine,neg\n")
    records, notes = notes_of(path)
    assert [record.label for record in records] == ["pos", "neg"]
    assert "\\" in records[0].text and not notes


def test_backslashes_first_seen_far_below_are_recognised(write, read):
    rows = "".join(f'"text, {number}",pos\n' for number in range(3000))
    path = write("a.csv", f'text,label\n{rows}"say \\"hi\\", now",neg\n')
    assert texts(read(path))[-1] == ('say "hi", now', "neg")


def test_extra_columns_are_not_ignored_where_quotes_were_misread(write, read):
    path = write("a.csv", 'text,label\n"x\\", y",1\n"say \\"hi\\", now",0\n')
    expected = [('x", y', "1"), ('say "hi", now', "0")]
    assert texts(read(path, extra_columns="ignore")) == expected


def test_what_the_option_says_is_not_questioned(write, read):
    path = write("a.csv", 'text,label\n"say \\"hi\\"",1\n')
    assert texts(read(path, quoting="backslash")) == [('say "hi"', "1")]
    assert texts(read(path, quoting="none")) == [('"say \\"hi\\""', "1")]
    with pytest.raises(UserError, match=r"row 2: .*expected after"):
        read(path, quoting="standard", text_column="text", label_column="label")


def test_no_advice_cuts_a_label_out_of_its_text(write, read):
    path = write("a.csv", 'text,label\n"a, "b", c",pos\nfine, or not,neg\n')
    with pytest.raises(UserError) as error:
        read(path, text_column="text", label_column="label")
    assert "data." not in str(error.value)


def test_quotes_as_characters_are_advised_where_every_row_then_fits(write, read):
    path = write("a.csv", 'text,label\n"never closed,pos\n"nor this,neg\n')
    with pytest.raises(
        UserError, match=r"data.quoting: none if quotes are .* rows then has 2 fields"
    ):
        read(path)
    assert texts(read(path, quoting="none"))[0] == ('"never closed', "pos")


@pytest.mark.parametrize(
    ("row", "text"),
    [
        ('"one\ttwo"\tpos', "one\ttwo"),
        ('"two\nlines"\tpos', "two\nlines"),
        ('"say \\"a\tb\\""\tpos', 'say "a\tb"'),
    ],
)
def test_tsv_that_has_quotes_or_backslashes_is_recognised(write, notes_of, row, text):
    records, notes = notes_of(write("a.tsv", f"text\tlabel\n{row}\nplain\tneg\n"))
    assert texts(records) == [(text, "pos"), ("plain", "neg")]
    assert "data.quoting=none would read it otherwise" in notes[0]


def test_tsv_whose_header_is_quoted_has_quotes(write, read):
    path = write("a.tsv", '"text"\t"label"\n"one"\t"x"\n')
    assert read(path) == [Record(2, "one", None, "x")]


def test_a_quote_that_opens_nothing_in_tsv_stays(write, notes_of):
    path = write("a.tsv", 'text\tlabel\n"one\tx\ntwo"\ty\n"three"\tz\n')
    records, notes = notes_of(path)
    assert [record.text for record in records] == ['"one', 'two"', '"three"'] and not notes


@pytest.mark.parametrize("line", ["sep=;", "SEP=;", '"sep=;"', "\ufeffsep=;"])
def test_the_line_that_names_the_delimiter_is_no_row(write, read, line):
    path = write("a.csv", f'{line}\r\ntext;label\r\n"one; two";x\r\n')
    assert read(path) == [Record(3, "one; two", None, "x")]


def test_the_line_may_write_a_tab_as_backslash_t(write, read):
    path = write("a.csv", "sep=\\t\ntext\tlabel\none, two\tx\n")
    assert read(path) == [Record(3, "one, two", None, "x")]


def test_line_ends_of_three_kinds_and_a_quoted_header_behind_a_mark(write, read):
    path = write("a.csv", '\ufeff"text";"label"\r\n"one";1,5\n"two\r\nlines";2,5\r"three";3\n')
    found = read(path, delimiter=";")
    assert texts(found) == [("one", "1,5"), ("two\r\nlines", "2,5"), ("three", "3")]
