"""Outputs of several examples, taken apart and put together again."""

import numpy as np
import pytest

from tf_finetune.errors import UserError
from tf_finetune.runs.outputs import Outputs
from tf_finetune.sources.records import Record
from tf_finetune.tasks.classes import Classes
from tf_finetune.tasks.tags.tags import Tags
from tf_finetune.tasks.task_rows import TaskRow

TAGS = Tags(("O", "B-a", "I-a"))
RECORDS = [
    Record(1, "x y z", None, None, ((0, 1), (2, 3), (4, 5))),
    Record(2, "w", None, None, ((0, 1),)),
]
# The first text in two rows, of two words and one.
ROWS = [
    TaskRow(0, (), (), (0, 2), 0, 5),
    TaskRow(0, (), (), (2, 3), 0, 5),
    TaskRow(1, (), (), (0, 1), 0, 1),
]


def _logits(*tags):
    return np.eye(3)[[*tags, *[0] * (2 - len(tags))]].ravel() * 5 * (1 if tags else 0)


OUTPUTS = Outputs(RECORDS, ROWS, np.stack([_logits(0, 1), _logits(2), _logits(1)]))


def test_an_entity_over_two_rows_is_one():
    first, second = OUTPUTS.answers(TAGS)
    assert [(e["start"], e["end"], e["text"]) for e in first["entities"]] == [(2, 5, "y z")]
    assert [(e["start"], e["end"], e["label"]) for e in second["entities"]] == [(0, 1, "a")]


def test_parts_answer_as_the_whole_does():
    parts = OUTPUTS.apart()
    assert [len(part.rows) for part in parts] == [2, 1]
    alone = [answer for part in parts for answer in part.answers(TAGS)]
    assert alone == list(OUTPUTS.answers(TAGS))
    assert list(Outputs.together(parts).answers(TAGS)) == alone


def test_outputs_of_whole_texts_are_a_row_each():
    labels, logits = Classes(("no", "yes")), np.array([[1.0, 0.0], [0.0, 1.0]])
    parts = Outputs(RECORDS, (), logits).apart()
    assert [part.logits.tolist() for part in parts] == [[[1.0, 0.0]], [[0.0, 1.0]]]
    assert [a["label"] for a in Outputs.together(parts).answers(labels)] == ["no", "yes"]


def test_outputs_that_are_not_finite_are_refused():
    with pytest.raises(UserError, match="NaN or infinite"):
        Outputs(RECORDS, (), np.array([[np.nan, 0.0]])).answers(Classes(("a", "b")))
