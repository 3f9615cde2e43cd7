"""Texts to predict, which need no labels."""

import io

import pytest

from tf_finetune.errors import UserError
from tf_finetune.options.data import DataConfig
from tf_finetune.sources import text_lines
from tf_finetune.sources.columns import resolve_columns
from tf_finetune.sources.reading import read_records, read_texts
from tf_finetune.sources.records import Record

_CONFIG = DataConfig(text_column="sentence", label_column="label")


def test_label_column_need_not_be_there(write):
    path = write("a.csv", "sentence,extra\none,x\n")
    assert list(read_texts(_CONFIG, path)) == [Record(2, "one", None, None)]
    assert list(read_records(_CONFIG, path, labelled=False)) == [Record(2, "one", None, None)]


def test_labels_that_are_there_are_not_read(write):
    path = write("a.csv", "sentence,label\none,\n")
    assert list(read_texts(_CONFIG, path)) == [Record(2, "one", None, None)]


def test_text_column_is_inferred_if_unset(write):
    path = write("a.csv", "remark\nfirst\nsecond\n")
    assert [record.text for record in read_texts(DataConfig(), path)] == ["first", "second"]


def test_wrong_delimiter_is_noticed_while_inferring(write):
    with pytest.raises(UserError, match=r"with delimiter ',' row 1 is one field, with ';'"):
        read_texts(DataConfig(), write("a.csv", "text;label\none;x\n"))


def test_txt_without_tabs_holds_one_text_a_line(write):
    path = write("a.txt", 'first "line\r\nsecond, line\n\n')
    assert list(read_texts(_CONFIG, path)) == [
        Record(1, 'first "line', None, None),
        Record(2, "second, line", None, None),
    ]


def test_txt_without_tabs_cannot_be_trained_on(write):
    path = write("a.txt", "first line\nsecond line\n")
    with pytest.raises(UserError, match=r"row 1 holds no tab.*only prediction can use"):
        resolve_columns(DataConfig(train=path))
    with pytest.raises(UserError, match=r"row 1 holds no tab"):
        read_records(_CONFIG, path)


def test_open_file_holds_one_text_a_line():
    records = list(read_texts(_CONFIG, io.StringIO("first\tline\nsecond\n")))
    assert records == [Record(1, "first\tline", None, None), Record(2, "second", None, None)]


def test_blank_line_of_an_open_file_is_a_problem():
    with pytest.raises(UserError, match=r"standard input, row 2: is blank"):
        list(read_texts(_CONFIG, io.StringIO("first\n\nsecond\n")))


def test_no_answer_comes_after_a_blank_line():
    texts = read_texts(_CONFIG, io.StringIO("first\n\nsecond\n"))
    assert next(texts).text == "first"
    with pytest.raises(UserError, match="row 2: is blank"):
        next(texts)


def test_undecodable_open_file_is_a_problem():
    lines = io.TextIOWrapper(io.BytesIO(b"first\n\xff\n"), encoding="utf-8")
    with pytest.raises(UserError, match=r"cannot be decoded soon after row 0"):
        list(read_texts(_CONFIG, lines))


def test_lines_cannot_serve_a_model_of_pairs(write):
    config = _CONFIG.model_copy(update={"text_pair_column": "other"})
    with pytest.raises(UserError, match=r"holds one text a line, but data.text_pair_column"):
        read_texts(config, io.StringIO("first\n"))
    with pytest.raises(UserError, match=r"holds one text a line, but data.text_pair_column"):
        read_texts(config, write("a.txt", "first\n"))


def test_pairs_are_read_from_a_table(write):
    config = _CONFIG.model_copy(update={"text_pair_column": "other"})
    path = write("a.csv", "sentence,other\none,two\nthree,\n")
    records = read_texts(config, path)
    assert next(records) == Record(2, "one", "two", None)
    with pytest.raises(UserError, match=r"row 3, column 'other': received ''"):
        next(records)


@pytest.mark.parametrize(
    ("ending", "column"), [("csv", "1"), ("tsv", "1"), ("txt", "text"), ("jsonl", "text")]
)
def test_line_of_more_characters_than_fit_ends_the_reading(write, monkeypatch, ending, column):
    monkeypatch.setattr(text_lines, "LINE_LIMIT", 20)
    good = '{"text":"a"}' if ending == "jsonl" else "text"
    path = write(f"a.{ending}", f"{good:19}\r{good:18}\r\n" + "a" * 21 + "\nrest\n")
    with pytest.raises(UserError, match=r"row 3: has more than 20 characters without a line end"):
        list(read_texts(DataConfig(header=False, text_column=column), path))


def test_line_of_standard_input_that_is_too_long_ends_the_reading(monkeypatch):
    monkeypatch.setattr(text_lines, "LINE_LIMIT", 20)
    with pytest.raises(UserError, match=r"standard input, row 2: has more than 20 characters"):
        list(read_texts(DataConfig(), io.StringIO("fine\n" + "a" * 21)))
