"""Flags of `explain` are checked together."""

import pytest

from tf_finetune.errors import UserError
from tf_finetune.evaluation.explanation.precision import Precision
from tf_finetune.evaluation.explanation.requests import asked_of, check_precision
from tf_finetune.tasks.classes import Classes
from tf_finetune.tasks.questions import Asked
from tf_finetune.tasks.spans.spans import Spans
from tf_finetune.tasks.tags.tags import Tags
from tf_finetune.tasks.values import Values

LABELS = Classes(("neg", "pos"))
TAGS = Tags(("O", "B-city", "I-city"))


def test_a_label_is_told_by_its_name():
    assert asked_of(LABELS, label="pos") == Asked("pos")
    assert asked_of(TAGS, label="city") == Asked("city")
    assert asked_of(LABELS) == Asked()
    with pytest.raises(UserError, match=r"--label: received '1'; accepted: neg, pos"):
        asked_of(LABELS, label="1")
    with pytest.raises(UserError, match="this model predicts a number"):
        asked_of(Values(), label="pos")
    with pytest.raises(UserError, match="predicts the part of a text that answers a question"):
        asked_of(Spans(), label="pos")


def test_an_entity_is_asked_of_what_finds_entities():
    assert asked_of(TAGS, label="city", entity=2) == Asked("city", 2)
    with pytest.raises(UserError, match="--entity: received 2, but this model predicts one label"):
        asked_of(LABELS, entity=2)
    with pytest.raises(UserError, match=r"--label: received 'B-city'; accepted: city"):
        asked_of(TAGS, label="B-city")


def test_an_answer_is_asked_of_what_answers_questions():
    assert asked_of(Spans(), answer="") == Asked(text="")
    for labels in (LABELS, TAGS):
        with pytest.raises(UserError, match="answer: received 'Rome', but this model predicts"):
            asked_of(labels, answer="Rome", flags=("label", "entity", "answer"))
    with pytest.raises(UserError) as caught:
        asked_of(Spans(), label="a", entity=1)
    assert len(caught.value.problems) == 2


def test_precision_is_within_its_ranges():
    assert check_precision(8, 64, "0.05") == Precision(8, 64, 0.05)
    for text in ("0", "1", "-1", "nan", "inf", "a lot"):
        with pytest.raises(UserError, match=r"--tolerance: received .*between 0 and 1"):
            check_precision(8, 64, text)
    with pytest.raises(UserError) as caught:
        check_precision(10**6, 64, "2")
    assert [problem.split(":")[0] for problem in caught.value.problems] == [
        *("--steps", "--max-steps", "--tolerance")
    ]
