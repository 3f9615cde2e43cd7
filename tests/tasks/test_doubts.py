"""How unsure a model is: 0 where it is sure, 1 where it cannot tell, by each measure."""

import numpy as np
import pytest

from tf_finetune.errors import UserError
from tf_finetune.sources.records import Record
from tf_finetune.tasks.classes import Classes
from tf_finetune.tasks.several_classes import SeveralClasses
from tf_finetune.tasks.table import TASKS, check_able
from tf_finetune.tasks.tags.tags import Tags
from tf_finetune.tasks.task_rows import TaskRow
from tf_finetune.tasks.values import Values

RECORD = Record(1, "a b", None, None, ((0, 1), (2, 3)))
THREE = Classes(("bad", "fair", "good"))
SEVERAL = SeveralClasses(("sport", "war"))
TAGS = Tags(("O", "B-city", "I-city"))


def logits_of(*probabilities):
    return np.log(np.array(probabilities))


def doubts(labels, measure, logits, rows=(), texts=1):
    found = labels.doubts(measure, [RECORD] * texts, rows, logits)
    return np.round(found, 6).tolist()


def test_classes_are_unsure_where_probabilities_are_even_or_two_are_close():
    logits = logits_of([1 / 3, 1 / 3, 1 / 3], [0.5, 0.5, 1e-12], [1.0, 1e-12, 1e-12])

    even, two, sure = doubts(THREE, "entropy", logits, texts=3)
    assert (even, two) == (1.0, round(np.log(2) / np.log(3), 6))
    assert sure == pytest.approx(0.0, abs=1e-6)
    assert doubts(THREE, "margin", logits, texts=3) == [1.0, 1.0, 0.0]
    assert doubts(THREE, "margin", logits_of([0.7, 0.2, 0.1])) == [0.5]


def test_several_labels_are_unsure_by_each_or_by_the_one_nearest_to_the_threshold():
    logits = np.array([[0.0, 0.0], [0.0, 50.0], [-50.0, 50.0]])

    assert doubts(SEVERAL, "entropy", logits, texts=3) == [1.0, 0.5, 0.0]
    assert doubts(SEVERAL, "margin", logits, texts=3) == [1.0, 1.0, 0.0]
    low = SEVERAL.decided_at(0.2)
    # 0.4 is a quarter of the way from 0.2 to 1, 0.1 half of that to 0.
    odds = np.log(np.array([[0.4 / 0.6, 0.1 / 0.9]]))
    assert doubts(low, "margin", odds) == [0.75]
    assert low.doubt_in_words("margin", RECORD, (), odds) == (
        "nearest to the threshold 0.2: sport 0.400"
    )


def test_words_are_unsure_together_or_by_the_least_sure_one():
    even, sure = [0.0, 0.0, 0.0], [50.0, 0.0, 0.0]
    # The second text is two rows of a word each.
    rows = [
        TaskRow(0, (), (), (0, 2), 0, 3),
        TaskRow(1, (), (), (0, 1), 0, 1),
        TaskRow(1, (), (), (1, 2), 2, 3),
    ]
    logits = np.array([[*even, *sure], [*sure, *even], [*sure, *even]])

    assert doubts(TAGS, "entropy", logits, rows, texts=2) == [0.5, 0.0]
    assert doubts(TAGS, "margin", logits, rows, texts=2) == [1.0, 0.0]
    assert TAGS.doubt_in_words("entropy", RECORD, rows[:1], logits[:1]) == (
        'least sure of the word "a": unsure between O 0.333 and B-city 0.333 (entropy 1.000); '
        "mean entropy of the words 0.500"
    )


def test_the_reason_names_the_likeliest_and_by_what_they_differ():
    logits = logits_of([0.1, 0.5, 0.4])

    assert THREE.doubt_in_words("margin", RECORD, (), logits) == (
        "unsure between fair 0.500 and good 0.400 (0.100 apart)"
    )
    assert "(entropy 0.859)" in THREE.doubt_in_words("entropy", RECORD, (), logits)
    assert SEVERAL.doubt_in_words("entropy", RECORD, (), np.array([[50.0, 0.0]])) == (
        "nearest to the threshold 0.5: war 0.500 and sport 1.000 (mean entropy 0.500)"
    )


def test_numbers_have_no_measure_and_spans_are_not_ranked():
    assert Values().measures == ()
    with pytest.raises(UserError, match="received span, whose models are not asked which texts"):
        check_able("span", "rank")
    for name in TASKS:
        if name != "span":
            check_able(name, "rank")
