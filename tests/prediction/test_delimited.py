"""Answers as CSV and TSV."""

import csv
import json

import pytest

from tf_finetune.errors import UserError
from tf_finetune.options.data import DataConfig
from tf_finetune.prediction.conversion import conversion
from tf_finetune.prediction.delimited import label_separator
from tf_finetune.sources.reading import read_records
from tf_finetune.tasks.classes import Classes
from tf_finetune.tasks.several_classes import SeveralClasses
from tf_finetune.tasks.tags.tags import Tags
from tf_finetune.tasks.values import Values

SINGLE = Classes(("neg", "pos"))
SEVERAL = SeveralClasses(("dull", "good, fine"))
NUMBER = Values()
TAGS = Tags(("O", "B-city", "I-city"))


@pytest.fixture
def write(tmp_path):
    """Write answers in the format of a name; gives the file and what was said about it."""

    def write(name, labels, *answers, listed=False, pairs=False, separator=None):
        lines, target = tmp_path / "lines", tmp_path / name
        lines.write_text("".join(json.dumps(answer) + "\n" for answer in answers))
        options = {"pairs": pairs, "listed": listed, "separator": separator}
        return target, conversion(target, labels, **options)(lines, target)

    return write


def rows(path, delimiter=","):
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file, delimiter=delimiter))


ONE = {"text": "é", "label": "pos", "probabilities": {"neg": 0.25, "pos": 0.75}}


def test_a_column_a_class_and_the_probability_of_the_answer(write):
    path, said = write("a.csv", SINGLE, ONE)

    assert rows(path) == [
        ["row", "text", "label", "probability", "probability of neg", "probability of pos"],
        ["1", "é", "pos", "0.75", "0.25", "0.75"],
    ]
    assert said == []


def test_top_k_labels_stand_side_by_side_likeliest_first(write):
    answer = ONE | {"probabilities": {"pos": 0.75, "neg": 0.25}}
    path, _ = write("a.tsv", SINGLE, answer, listed=True)

    assert rows(path, "\t") == [
        [
            *("row", "text", "label", "probability"),
            *("label 1", "probability 1", "label 2", "probability 2"),
        ],
        ["1", "é", "pos", "0.75", "pos", "0.75", "neg", "0.25"],
    ]


def test_pairs_and_numbers_have_their_columns(write):
    path, _ = write("a.CSV", NUMBER, {"text": "a", "text_pair": "b", "value": -1.5}, pairs=True)

    assert rows(path) == [["row", "text", "text_pair", "value"], ["1", "a", "b", "-1.5"]]


def test_a_row_an_entity_and_one_of_a_text_without(write):
    rome = {"start": 4, "end": 8, "text": "Rome", "label": "city", "probability": 0.75}
    oslo = {"start": 12, "end": 16, "text": "Oslo", "label": "city", "probability": 0.5}
    answers = [{"text": "see Rome or Oslo", "entities": [rome, oslo]}, {"text": "", "entities": []}]

    path, said = write("a.csv", TAGS, *answers)

    assert rows(path) == [
        ["row", "text", "start", "end", "entity", "label", "probability"],
        ["1", "see Rome or Oslo", "4", "8", "Rome", "city", "0.75"],
        ["1", "see Rome or Oslo", "12", "16", "Oslo", "city", "0.5"],
        ["2", "", "", "", "", "", ""],
    ]
    assert said == []
    assert rows(write("b.csv", TAGS)[0]) == rows(path)[:1]


def test_no_answers_are_a_file_of_column_names(write):
    path, _ = write("a.csv", SINGLE)

    assert rows(path) == [
        ["row", "text", "label", "probability", "probability of neg", "probability of pos"]
    ]


@pytest.mark.parametrize("name", ["a.csv", "a.tsv"])
def test_any_text_comes_back_as_it_was(write, name):
    texts = ['said "no", twice', "two\nlines\r\n", " a\tb ", "lone\rreturn", "ﬁ\u2028x", "'1;2'"]
    answers = [ONE | {"text": text} for text in texts]

    path, _ = write(name, SINGLE, *answers)

    found = rows(path, "," if name == "a.csv" else "\t")
    assert [row[1] for row in found[1:]] == texts


def test_joined_labels_are_read_back_with_the_separator_that_is_said(write):
    shares = {"dull": 0.9, "good, fine": 0.6}
    sets = (["dull", "good, fine"], [], ["good, fine"])
    answers = [{"text": "a", "labels": found, "probabilities": shares} for found in sets]

    path, said = write("a.csv", SEVERAL, *answers)

    assert said == ["several labels are joined; data.label_separator=';' reads them back"]
    config = DataConfig(
        text_column="text", label_column="labels", label_separator=";", task="multi_label"
    )
    assert [list(one.label) for one in read_records(config, str(path))] == list(sets)


def test_separator_is_the_wanted_one_unless_labels_hold_it():
    assert label_separator(SEVERAL, None) == ";"
    assert label_separator(SEVERAL, " + ") == " + "
    with pytest.raises(UserError, match=r"labels hold ','.*accepted: a data.label_separator that"):
        label_separator(SEVERAL, ",")


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@A1", "\t=1"])
def test_what_a_spreadsheet_would_run_is_kept_and_said(write, text):
    path, said = write("a.csv", SINGLE, ONE | {"text": text}, ONE)

    assert rows(path)[1][1] == text
    assert len(said) == 1
    assert said[0].startswith("! ") and "1 rows" in said[0]
