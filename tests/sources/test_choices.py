"""Contexts with choices, of which a label names the right one."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.sources.told import faults, lines
from tf_finetune.errors import UserError
from tf_finetune.options.data import DataConfig
from tf_finetune.sources.columns import resolve_columns
from tf_finetune.sources.reading import read_records, read_texts
from tf_finetune.sources.records import Record

CHOICE = DataConfig().model_copy(update={"task": "multiple_choice"})
SWAG = (
    ",video-id,sent1,sent2,gold-source,ending0,ending1,ending2,label\n"
    "0,v1,He stands up.,He,gold,goes,sits,sleeps,0\n"
    "1,v2,She opens a book.,She,gold,eats it,reads,paints,1\n"
)


def labels(read, path, **options):
    return [record.label for record in read(path, **options)]


def test_the_form_of_swag_is_recognised(write, read):
    path = write("a.csv", SWAG)
    config = resolve_columns(DataConfig(train=path))
    assert (config.task, config.text_column, config.text_pair_column, config.label_column) == (
        "multiple_choice",
        "sent1",
        "sent2",
        "label",
    )
    assert config.choice_columns == ("ending0", "ending1", "ending2")
    assert resolve_columns(config) == config
    assert read(path) == [
        Record(2, "He stands up.", "He", "0", choices=("goes", "sits", "sleeps")),
        Record(3, "She opens a book.", "She", "1", choices=("eats it", "reads", "paints")),
    ]


@pytest.mark.parametrize("names", ["choice0,choice1", "Choice_1,Choice_2", "option a,option b"])
def test_choices_may_be_numbered_from_zero_one_or_a(write, read, names):
    path = write("a.csv", f"question,{names},label\nHow?,so,thus,1\n")
    assert read(path) == [Record(2, "How?", None, "1", choices=("so", "thus"))]


@pytest.mark.parametrize(
    ("given", "numbers"),
    [
        (["A", "c"], ["0", "2"]),
        ([0, 2], ["0", "2"]),
        (["1", "3"], ["0", "2"]),
        (["y", "z"], ["1", "2"]),
        ([2.0, 1.0], ["2", "1"]),
    ],
)
def test_labels_have_one_reading_in_the_whole_source(write, read, given, numbers):
    rows = [{"question": "q", "choices": ["x", "y", "z"], "answer": label} for label in given]
    assert labels(read, write("a.jsonl", lines(*rows))) == numbers


def test_labels_that_count_from_one_are_noted(write, notes_of):
    rows = [{"question": "q", "choices": ["x", "y"], "answer": label} for label in (2, 1)]
    records, notes = notes_of(write("a.jsonl", lines(*rows)))
    assert [record.label for record in records] == ["1", "0"]
    assert notes == ["labels that are numbers of choices, counted from 1: 2, such as row 1"]


def test_numbers_that_could_count_from_one_are_noted(write, notes_of):
    rows = [{"question": "q", "choices": ["x", "y", "z"], "answer": label} for label in (2, 1)]
    records, notes = notes_of(write("a.jsonl", lines(*rows)))
    assert [record.label for record in records] == ["2", "1"]
    assert notes == ["labels taken to count the choices from 0, though none is 0: 2, such as row 1"]


def test_choices_may_have_names(tmp_path, read):
    choices = [{"text": ["x", "y"], "label": ["B", "A"]}] * 2
    columns = {"question": ["q", "r"], "choices": choices, "answerKey": ["A", "B"]}
    pq.write_table(pa.table(columns), tmp_path / "a.parquet")
    assert labels(read, str(tmp_path / "a.parquet")) == ["1", "0"]


def test_lists_written_into_csv_are_read(write, read):
    (record,) = read(write("a.csv", "ctx,endings,label\nHow?,\"['so', 'thus']\",1\n"))
    assert (record.text, record.choices, record.label) == ("How?", ("so", "thus"), "1")


def test_every_wrong_row_is_named(write, read):
    good = {"question": "q", "choices": ["x", "y", "z"], "label": 0}
    path = write(
        "a.jsonl",
        lines(
            good,
            {**good, "label": 3},
            {**good, "choices": ["x", "y"]},
            {**good, "choices": ["x"]},
            {**good, "choices": ["x", "", "z"]},
            {**good, "label": None},
            {**good, "question": " "},
            {**good, "label": True},
        ),
    )
    assert faults(read, path) == [
        "2, column 'label': received 3; names none of the 3 choices; accepted: 0 to 2",
        "3: has 2 choices; accepted: 3, as in row 1",
        "4, column 'choices': received ['x']; has 1 of them; accepted: a list of two "
        "choices or more",
        "5, column 'choices', choice 2: received ''; accepted: a text that is not empty",
        "6, column 'label': received None; names none of the 3 choices; accepted: 0 to 2",
        "7, column 'question': received ' '; accepted: a text that is not empty",
        "8, column 'label': received True; names none of the 3 choices; accepted: 0 to 2",
    ]


def test_data_without_choices_is_an_error(write):
    path = write("a.csv", "text,label\none,x\n")
    with pytest.raises(UserError, match=r"data.choice_columns cannot be inferred: no columns are "):
        resolve_columns(CHOICE.model_copy(update={"train": path}))


def test_numbers_of_choices_have_no_gaps(write):
    path = write("a.csv", "question,choice0,choice2,label\nHow?,so,thus,1\n")
    with pytest.raises(UserError, match=r"data.choice_columns cannot be inferred"):
        resolve_columns(CHOICE.model_copy(update={"train": path}))


def test_a_text_that_two_choices_have_names_none(write, read):
    row = {"question": "q", "choices": ["x", "y"], "label": "y"}
    path = write("a.jsonl", lines(row, {**row, "choices": ["y", "y"]}))
    assert faults(read, path) == [
        "2, column 'label': received 'y'; names none of the 2 choices; accepted: the text of one: "
        "'y', 'y'"
    ]


def test_named_columns_have_to_be_there(write):
    path = write("a.csv", SWAG)
    config = CHOICE.model_copy(update={"train": path, "choice_columns": ("ending0", "endng1")})
    with pytest.raises(UserError, match=r"choice_columns: received 'endng1'.*nearest is 'ending1'"):
        resolve_columns(config)


def test_examples_to_predict_need_no_label(write):
    path = write("a.csv", SWAG.replace(",label", "").replace(",0\n", "\n").replace(",1\n", "\n"))
    trained = resolve_columns(DataConfig(train=write("b.csv", SWAG)))
    found = list(read_texts(trained, path))
    assert [(r.text_pair, r.choices, r.label) for r in found] == [
        ("He", ("goes", "sits", "sleeps"), None),
        ("She", ("eats it", "reads", "paints"), None),
    ]
    assert found == list(read_records(trained, path, labelled=False))
    without_pair = trained.model_copy(update={"text_pair_column": None})
    with pytest.raises(UserError, match=r"holds one text a line, but data.choice_columns is"):
        read_texts(without_pair, write("a.txt", "He\n"))
