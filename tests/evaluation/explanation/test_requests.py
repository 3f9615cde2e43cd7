"""Flags of `explain` are checked together."""

import pytest

from tf_finetune.errors import UserError
from tf_finetune.evaluation.explanation.precision import Precision
from tf_finetune.evaluation.explanation.requests import check_entity, check_label, check_precision
from tf_finetune.tasks.classes import Classes
from tf_finetune.tasks.tags.tags import Tags
from tf_finetune.tasks.values import Values

LABELS = Classes(("neg", "pos"))
TAGS = Tags(("O", "B-city", "I-city"))


def test_a_label_is_told_by_its_name():
    assert check_label("pos", LABELS) == "pos"
    assert check_label("city", TAGS) == "city"
    assert check_label(None, LABELS) is None
    with pytest.raises(UserError, match=r"--label: received '1'; accepted: neg, pos"):
        check_label("1", LABELS)
    with pytest.raises(UserError, match="this model predicts a number"):
        check_label("pos", Values())


def test_an_entity_is_asked_of_what_finds_entities():
    assert check_entity(2, TAGS) == 2
    assert check_entity(None, LABELS) is None
    with pytest.raises(UserError, match="--entity: received 2, but this model predicts one label"):
        check_entity(2, LABELS)
    with pytest.raises(UserError, match=r"--label: received 'B-city'; accepted: city"):
        check_label("B-city", TAGS)


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
