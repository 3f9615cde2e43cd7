"""Scores of answers are means over the questions."""

import numpy as np
import pytest

from tf_finetune.tasks.metrics import METRICS
from tf_finetune.tasks.spans.answer_scores import ANSWER_METRICS, AnswerScored

GIVEN = ["the Denver Broncos", "Denver", "", "清华大学"]
GOLD = [["Denver Broncos"], ["Denver Broncos", "Broncos"], [], ["北京清华大学"]]
CHARACTERS = np.array([False, False, False, True])
LOSSES = np.array([1.0, 2.0, 3.0, 6.0])


def test_scores_are_those_worked_out_by_hand():
    found = AnswerScored.of_answers(GIVEN, GOLD, CHARACTERS, LOSSES).values()

    assert found == pytest.approx(
        {"token_f1": (1 + 2 / 3 + 1 + 0.8) / 4, "exact_match": 2 / 4, "loss": 3.0}
    )
    assert tuple(found) == ANSWER_METRICS
    assert set(found) <= set(METRICS)


def test_weights_that_are_whole_numbers_are_copies_of_questions():
    examples = AnswerScored.of_answers(GIVEN, GOLD, CHARACTERS, LOSSES)
    weights = np.array([[0.0, 2.0, 1.0, 1.0]])
    copies = [1, 1, 2, 3]
    expected = AnswerScored.of_answers(
        [GIVEN[one] for one in copies],
        [GOLD[one] for one in copies],
        CHARACTERS[copies],
        LOSSES[copies],
    ).values()

    assert {name: one[0] for name, one in examples.scores(weights).items()} == pytest.approx(
        expected
    )
    assert examples.shares == {"exact_match"}


def test_each_question_needs_an_answer():
    with pytest.raises(ValueError, match="argument 2 is longer"):
        AnswerScored.of_answers(GIVEN[:3], GOLD, CHARACTERS, LOSSES)
