"""A model's outputs in the words of its labels."""

import numpy as np
import pytest

from tf_finetune.errors import UserError
from tf_finetune.prediction.answers import answers, check_top_k
from tf_finetune.tasks.classes import Classes
from tf_finetune.tasks.several_classes import SeveralClasses
from tf_finetune.tasks.tags.tags import Tags
from tf_finetune.tasks.values import Values

SINGLE = Classes(("neg", "pos"))
SEVERAL = SeveralClasses(("dull", "good"))
NUMBER = Values()
LN3 = np.log(3)


def test_answer_of_each_task():
    assert list(answers(SINGLE, np.array([[0, LN3]]))) == [
        {"label": "pos", "probabilities": {"neg": 0.25, "pos": 0.75}}
    ]
    assert list(answers(SEVERAL, np.array([[-LN3, LN3], [-1.0, -1.0]])))[0] == {
        "labels": ["good"],
        "probabilities": {"dull": 0.25, "good": 0.75},
    }
    assert list(answers(NUMBER, np.array([[1.5]]))) == [{"value": 1.5}]


def test_top_k_gives_the_likeliest_first():
    labels = Classes(("a", "b", "c"))

    (answer,) = answers(labels, np.log([[0.2, 0.3, 0.5]]), top_k=2)

    assert list(answer["probabilities"].items()) == [("c", 0.5), ("b", 0.3)]


def test_of_equal_probabilities_the_label_that_is_answered_comes_first():
    labels = Classes(("a", "b", "c"))

    (answer,) = answers(labels, np.log([[0.2, 0.4, 0.4]]), top_k=1)

    assert answer == {"label": "b", "probabilities": {"b": 0.4}}


@pytest.mark.parametrize("value", ["0", "3", "two", "-1", "1.0"])
def test_top_k_has_to_be_a_number_of_labels(value):
    with pytest.raises(UserError, match=r"--top-k: received '.*'; accepted: 1 to 2"):
        check_top_k(value, SINGLE)


def test_top_k_of_a_number_is_refused():
    with pytest.raises(UserError, match="this model predicts a number"):
        check_top_k("1", NUMBER)


def test_top_k_of_entities_is_refused():
    with pytest.raises(UserError, match="answers with the entities that a text names, each with"):
        check_top_k("1", Tags(("O", "B-city", "I-city")))


def test_outputs_that_are_not_numbers_are_refused():
    with pytest.raises(UserError, match="outputs are NaN or infinite"):
        list(answers(SINGLE, np.array([[0.0, np.nan]])))
