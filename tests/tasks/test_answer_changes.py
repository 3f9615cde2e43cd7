"""What tasks say of answers before and after a change."""

import numpy as np
import pytest

from tf_finetune.errors import UserError
from tf_finetune.tasks.classes import Classes
from tf_finetune.tasks.relations import Relations
from tf_finetune.tasks.several_classes import SeveralClasses
from tf_finetune.tasks.table import TASKS, check_able
from tf_finetune.tasks.values import Values

CLASSES, SEVERAL, NUMBERS = Classes(("neg", "pos")), SeveralClasses(("a", "b")), Values()


def test_names_differ_or_not_and_numbers_by_a_tolerance():
    one, other = np.array([0, 1, 1]), np.array([0, 0, 1])
    assert CLASSES.differ(one, other, 0.0).tolist() == [False, True, False]
    sets = np.array([[1, 0], [1, 1]], np.float32)
    assert SEVERAL.differ(sets, np.array([[1, 0], [1, 0]]), 0.0).tolist() == [False, True]
    assert NUMBERS.differ(np.array([1.0, 1.0]), np.array([1.5, 1.6]), 0.5).tolist() == [False, True]


def test_only_numbers_have_a_tolerance():
    targets = np.array([0.0, 4.0], np.float32)
    assert NUMBERS.answer_tolerance(targets, None) == 0.5  # a quarter of the deviation
    assert NUMBERS.answer_tolerance(targets, 3.0) == 3.0
    assert CLASSES.answer_tolerance(targets, None) == 0.0
    with pytest.raises(UserError, match="--tolerance: received 3, but this model answers with"):
        CLASSES.answer_tolerance(targets, 3.0)
    with pytest.raises(UserError, match="--tolerance: received -1; accepted"):
        NUMBERS.answer_tolerance(targets, -1.0)


def test_support_is_the_probability_of_an_answer_whoever_gave_it():
    logits = np.array([[0.0, 0.0], [0.0, np.log(3)]])
    assert CLASSES.support(np.array([0, 1]), logits) == pytest.approx([0.5, 0.75])
    sets = np.array([[1, 0], [0, 1]], np.float32)
    assert SEVERAL.support(sets, logits) == pytest.approx([0.5, (0.5 + 0.75) / 2])
    assert NUMBERS.support(np.array([0.0]), np.array([[1.0]])) is None


def test_labels_are_named_as_the_data_write_them():
    assert (CLASSES.output_of("pos"), CLASSES.output_of("0"), CLASSES.output_of("x")) == (
        1,
        0,
        None,
    )
    assert (CLASSES.output_of(None), NUMBERS.output_of(None), NUMBERS.output_of("1")) == (
        None,
        0,
        None,
    )
    assert CLASSES.answer_of(("pos",)).tolist() == [1]
    assert CLASSES.answer_of(("pos", "neg")) is None and CLASSES.answer_of(("x",)) is None
    assert SEVERAL.answer_of(("a", "b")).tolist() == [[1, 1]]
    assert NUMBERS.answer_of(("2.5",)).tolist() == [2.5] and NUMBERS.answer_of(("x",)) is None


def test_texts_are_told_apart_by_the_names_that_they_have():
    assert CLASSES.having(np.array([1, 0])).tolist() == [[False, True], [True, False]]
    assert SEVERAL.having(np.array([[1, 1], [0, 0]])).tolist() == [[True, True], [False, False]]
    assert NUMBERS.having(np.array([1.0])).shape == (1, 0)


def test_markers_of_entities_are_kept():
    assert Relations.kept_words == ("$", "#") and CLASSES.kept_words == ()


def test_tasks_whose_answer_is_of_a_whole_text_are_checked():
    able = {name for name, task in TASKS.items() if "check" not in task.unable}
    assert able == {"single_label", "multi_label", "regression", "relation"}
    with pytest.raises(UserError, match="received span, whose models are not checked with changed"):
        check_able("span", "check")
