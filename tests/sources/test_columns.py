"""Which columns are chosen, and when the choice is left to the user."""

import json

import pytest

from tf_finetune.errors import UserError
from tf_finetune.options.data import DataConfig
from tf_finetune.sources import columns
from tf_finetune.sources.columns import resolve_columns
from tf_finetune.sources.problems import Problems
from tf_finetune.sources.table import Row, Table


def chosen(path: str, **options):
    """Text and label column of a resolved configuration."""
    config = resolve_columns(DataConfig(train=path, **options))
    return config.text_column, config.label_column


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("id,text,label", ("text", "label")),
        ("idx,Sentence,LABEL", ("Sentence", "LABEL")),
        ("Sentiment,review,source", ("review", "Sentiment")),
        ("title,text,score", ("text", "score")),
        ("label,content,rating", ("content", "label")),
    ],
)
def test_known_names_decide(write, header, expected):
    assert chosen(write("a.csv", f"{header}\na,b,c\n")) == expected


def test_without_known_names_length_and_variety_decide(write):
    rows = "".join(f"{i},a rather long remark number {i},{i % 2}\n" for i in range(6))
    assert chosen(write("a.csv", "id,remark,grade\n" + rows)) == ("remark", "grade")


def test_without_header_the_columns_are_numbered(write):
    path = write("a.tsv", "5\ta long text about a thing\n4\tanother long text about it\n")
    assert chosen(path, header=False) == ("2", "1")


def test_regression_target_is_found_among_numbers(write):
    rows = "".join(f"{i},a rather long remark number {i},{i / 7:.2f}\n" for i in range(9))
    assert chosen(write("a.csv", "id,remark,grade\n" + rows)) == ("remark", "grade")


def test_configured_columns_are_not_inferred(write):
    path = write("a.csv", "title,sentence,label,score\na,b,c,1\n")
    assert chosen(path, text_column="title", label_column="score") == ("title", "score")


def test_second_text_is_never_taken_as_the_first(write):
    path = write("a.csv", "sentence,title,label\na,b,c\n")
    assert chosen(path, text_pair_column="title") == ("sentence", "label")


def test_several_known_names_are_left_to_the_user(write):
    path = write("a.csv", "question,sentence,label\na,b,c\n")
    with pytest.raises(
        UserError,
        match=r"data.text_column cannot be inferred: 'question', 'sentence' could all be it "
        r"\(data.text_pair_column .*accepted: one of the columns 'question', 'sentence', 'label'",
    ):
        chosen(path)


def test_text_and_label_that_cannot_be_inferred_are_named_together(write):
    rows = "".join(f"a first text {i},a second one {i},{i % 2},{i % 3}\n" for i in range(8))
    with pytest.raises(UserError) as error:
        chosen(write("a.csv", "p,q,r,s\n" + rows))
    first, second = error.value.problems
    assert "data.text_column cannot be inferred: 'p', 'q' hold texts of similar length" in first
    assert "(data.text_pair_column takes a second text)" in first
    assert "data.label_column cannot be inferred: 'r', 's' could all be it" in second


def test_no_column_of_text_or_labels_is_a_problem(write):
    with pytest.raises(UserError, match=r"data.text_column cannot be inferred: no column holds te"):
        chosen(write("a.csv", "p,q\n1,2\n3,4\n"), label_column="q")
    rows = "".join(f"a rather long remark {i},w{i}\n" for i in range(8))
    with pytest.raises(UserError, match=r"data.label_column cannot be inferred: no other column"):
        chosen(write("b.csv", "p,q\n" + rows))


def test_a_file_without_header_is_told_so_where_no_column_can_be_chosen(write):
    rows = "".join(f"{i % 2},x{i % 3},a rather long remark {i}\n" for i in range(9))
    path = write("a.csv", rows)
    with pytest.raises(UserError, match=r"or data.header=false if row 1 is an example"):
        chosen(path)
    with pytest.raises(UserError) as error:
        chosen(write("b.csv", "p,q,remark\n" + rows))
    assert "data.header" not in str(error.value)


def test_first_example_taken_for_column_names_is_noticed(write):
    path = write("a.tsv", "a long text about a thing\t5\nanother long text about it\t4\n")
    with pytest.raises(UserError, match=r"row 1: '5' looks like a label.*data.header: false"):
        chosen(path)
    path = write("b.tsv", "a long text about a thing\tbad\nsome\tgood\nother\tbad\n")
    with pytest.raises(UserError, match=r"row 1: 'bad' looks like a label.*data.header: false"):
        chosen(path)


def test_column_names_taken_for_an_example_are_noticed(write):
    path = write("a.tsv", "text\tlabel\na long text about a thing\t5\n")
    with pytest.raises(UserError, match=r"row 1: 'text', 'label' look like names of columns"):
        chosen(path, header=False)


def test_missing_columns_of_all_sources_are_named_with_the_nearest_name(write):
    train = write("train.csv", "text,label\na,b\n")
    test = write("test.csv", "texts,label\na,b\n")
    with pytest.raises(UserError) as error:
        resolve_columns(DataConfig(train=train, test=test, label_column="labl"))
    first, second, third = error.value.problems
    assert "train.csv: data.label_column: received 'labl'" in first
    assert first.endswith("accepted: one of the columns 'text', 'label'; the nearest is 'label'")
    assert "test.csv: data.text_column: received 'text'" in second
    assert "the nearest is 'texts'" in second
    assert "test.csv: data.label_column" in third


def test_one_column_for_two_things_is_a_problem(write):
    path = write("a.csv", "text,label\na,b\n")
    with pytest.raises(
        UserError, match=r"data.label_column: received 'text', which is data.text_column too"
    ):
        chosen(path, text_column="text", label_column="text")


def test_label_separator_makes_the_task_multi_label(write, read):
    path = write("a.csv", "text,label\none,a; b;a\ntwo,\n")
    assert resolve_columns(DataConfig(train=path, label_separator=";")).task == "multi_label"
    assert [r.label for r in read(path, label_separator=";")] == [("a", "b"), ()]


def test_nothing_between_separators_is_a_problem(write, read):
    path = write("a.csv", "text,label\none,a;;b\n")
    with pytest.raises(UserError, match=r"row 2, column 'label': received 'a;;b'"):
        read(path, label_separator=";")


@pytest.mark.parametrize("task", ["single_label", "regression"])
def test_label_separator_contradicts_other_tasks(write, task):
    path = write("a.csv", "text,label\none,a\n")
    with pytest.raises(UserError, match=rf"data.label_separator: received ';' .*task: {task}"):
        chosen(path, label_separator=";", task=task)


def test_resolving_twice_changes_nothing(write):
    path = write("a.jsonl", json.dumps({"text": "one", "label": ["a"]}))
    config = resolve_columns(DataConfig(train=path))
    assert resolve_columns(config) == config


def test_validation_examples_decide_without_training_examples(write):
    path = write("a.csv", "text,label\na,b\n")
    assert resolve_columns(DataConfig(validation=path)).text_column == "text"


def test_no_source_at_all_is_a_problem():
    with pytest.raises(UserError, match=r"data.train: received nothing"):
        resolve_columns(DataConfig())


def test_sample_of_long_texts_ends_before_it_fills_the_memory(monkeypatch):
    monkeypatch.setattr(columns, "SAMPLE_CHARACTERS", 3000)
    read = []

    def rows(_):
        for number in range(1, 1001):
            read.append(number)
            yield Row(number, {"text": "x" * 999, "label": "a"}, f"row {number}")

    table = Table("a.csv", "csv", ("text", "label"), rows, lambda: iter(()))
    columns.infer_columns(table, DataConfig(train="a.csv"), Problems(), labelled=True)

    assert read == [1, 2, 3]


def test_long_lists_end_the_sample_too(monkeypatch):
    monkeypatch.setattr(columns, "SAMPLE_CHARACTERS", 500)
    seen = []

    def rows(problems):
        for number in range(1, 10):
            seen.append(number)
            yield Row(number, {"tokens": ["a"] * 5, "tags": ["O"] * 5}, f"row {number}")

    table = Table("a.jsonl", "jsonl", ("tokens", "tags"), rows, lambda: iter(()))
    columns.infer_columns(table, DataConfig(train="a.jsonl"), Problems(), labelled=True)
    assert seen == [1]
