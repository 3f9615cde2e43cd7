"""What is to be labelled stands in a table with its texts as they were given, and why."""

import csv
import io

import numpy as np
import pytest

from tf_finetune.options.data import DataConfig
from tf_finetune.ranking.choosing import Choice
from tf_finetune.ranking.pool import Candidate
from tf_finetune.ranking.ranked_file import ranked_content
from tf_finetune.ranking.ranked_text import RankedText, ranked_text, text_columns
from tf_finetune.ranking.request import check_request
from tf_finetune.runs.outputs import Outputs
from tf_finetune.sources.records import Record
from tf_finetune.tasks.classes import Classes
from tf_finetune.tasks.several_classes import SeveralClasses
from tf_finetune.tasks.tags.tags import Tags
from tf_finetune.tasks.task_rows import TaskRow
from tf_finetune.tasks.values import Values

RECORD = Record(7, "a film", None, None, ((0, 1), (2, 6)))


def chosen(labels, logits, by=None, rows=(), stands_for=None):
    outputs = Outputs([RECORD], rows, np.array([logits], np.float32))
    choice = Choice(Candidate(0, 0.5, 0, outputs), 0.25, stands_for)
    return ranked_text(choice, labels, check_request(labels, 1, by, balanced=False, seed=0))


def test_answer_and_reason_are_in_words():
    found = chosen(Classes(("neg", "pos")), [0.0, 0.0], "margin")

    assert (found.predicted, found.score) == ("neg", 0.25)
    assert found.reason == "unsure between neg 0.500 and pos 0.500 (0.000 apart)"
    several = chosen(SeveralClasses(("sport", "war", "art")), [9.0, 0.1, -9.0])
    assert several.predicted == "sport, war"
    tags = Tags(("O", "B-kind", "I-kind"))
    rows = [TaskRow(0, (), (), (0, 2), 0, 6)]
    assert chosen(tags, [1.0, 0, 0, 0, 1, 0], rows=rows).predicted == 'kind "film"'


def test_what_stands_for_others_says_for_how_many():
    found = chosen(Classes(("neg", "pos")), [0.0, 0.0], "coverage", stands_for=(3, 1000))
    assert found.reason.startswith("stands for 3 of 1,000 doubtful texts; unsure between")
    number = chosen(Values(), [2.5], stands_for=(3, 40))
    assert number.predicted == 2.5
    assert number.reason == "stands for 3 of 40 texts drawn at random"


@pytest.mark.parametrize(
    ("options", "record", "columns"),
    [
        ({"text_column": "review"}, RECORD, ["review"]),
        ({}, RECORD, ["text"]),
        ({"text_column": "2"}, RECORD, ["text"]),
        ({"text_column": "score"}, RECORD, ["text"]),
        (
            {"text_column": "a", "text_pair_column": "b"},
            Record(1, "x", "y", None),
            ["a", "b"],
        ),
        ({"text_column": "a"}, Record(1, "x", "y", None), ["a", "text_pair"]),
        ({}, Record(1, "x", None, None, (), ("y", "z")), ["text", "choice0", "choice1"]),
    ],
)
def test_texts_keep_the_columns_they_came_from(options, record, columns):
    assert text_columns(DataConfig(**options), record) == columns


def test_a_file_has_a_row_a_text_and_formulas_are_counted():
    ranked = [
        RankedText(Record(3, '=1, "2"', None, None), 0.9, "pos", "why"),
        RankedText(Record(1, "plain\ntext", None, None), 0.123456789, 2.5, "so"),
    ]

    content, formulas = ranked_content(ranked, DataConfig(text_column="review"), ",")

    assert content.startswith(b"\xef\xbb\xbf") and formulas == 1
    first, second = csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""))
    assert first == {
        **{"row": "3", "review": '=1, "2"', "score": "0.9"},
        **{"predicted": "pos", "reason": "why"},
    }
    assert (second["review"], second["score"], second["predicted"]) == (
        *("plain\ntext", "0.123457", "2.5"),
    )
