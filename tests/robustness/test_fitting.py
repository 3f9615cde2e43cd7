"""Checks that name what a model or its data do not have are refused, all at once."""

import pytest

from tf_finetune.errors import UserError
from tf_finetune.robustness.changes import Numbers
from tf_finetune.robustness.checks import Check, Checks
from tf_finetune.robustness.fitting import check_goes_with
from tf_finetune.tasks.classes import Classes
from tf_finetune.tasks.values import Values

CLASSES = Classes(("neg", "pos"))


def problems_of(labels, *checks, slices=(), columns=("text",)):
    with pytest.raises(UserError) as caught:
        check_goes_with(
            Checks(checks, slices, ("mine.yaml, line 9",) * len(slices)),
            labels,
            columns,
            ("text", "label"),
            "new.csv",
        )
    return caught.value.problems


def test_labels_and_columns_that_there_are_not_are_named():
    change = Numbers()
    found = problems_of(
        CLASSES,
        Check("a", "direction", "mine.yaml, line 2", change, expect="more", label="poss"),
        Check("b", "direction", "mine.yaml, line 3", change, expect="less_sure", label="pos"),
        Check("c", "invariance", "mine.yaml, line 4", change, column="title"),
        Check("d", "minimum_function", "mine.yaml, line 5", texts=(("x", "y"),), label="pos"),
        Check("e", "minimum_function", "mine.yaml, line 6", texts=(("x", None),)),
        slices=("source",),
    )

    assert [problem.split("; accepted")[0] for problem in found] == [
        "mine.yaml, line 2: a.label: received 'poss'",
        "mine.yaml, line 3: b.label: received 'pos'",
        "mine.yaml, line 4: c.column: received 'title'",
        "mine.yaml, line 5: d.texts: received 'pairs'",
        "mine.yaml, line 6: e.label: received nothing",
        "mine.yaml, line 9: slices: received 'source'",
    ]
    assert "accepted: a column that the model reads: 'text'" in found[2]
    assert found[5].endswith("accepted: a column of new.csv: 'text', 'label'")


def test_a_model_of_numbers_has_no_label_to_watch():
    check = Check("a", "direction", "mine.yaml, line 2", Numbers(), expect="more", label="pos")
    assert "accepted: nothing, as answers are numbers" in problems_of(Values(), check)[0]


def test_a_model_of_pairs_knows_answers_to_pairs():
    check = Check("a", "minimum_function", "", texts=(("x", None),), label="pos")
    (found,) = problems_of(CLASSES, check, columns=("first", "second"))
    assert found.endswith("accepted: lists of a text and a second text")


def test_what_there_is_is_accepted():
    checks = (
        Check("a", "direction", change=Numbers(), expect="more", label="pos"),
        Check("b", "minimum_function", texts=(("x", None),), label="neg"),
        Check("c", "invariance", change=Numbers(), column="text"),
    )
    check_goes_with(
        Checks(checks, ("label",), ("--by",)), CLASSES, ("text",), ("text", "label"), "new.csv"
    )
    number = Check("a", "direction", change=Numbers(), expect="less")
    check_goes_with(Checks((number,)), Values(), ("text",), ("text",), "new.csv")
