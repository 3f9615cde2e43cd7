"""A ranking that a model cannot be asked for is refused, with what it can be asked."""

import pytest

from tf_finetune.errors import UserError
from tf_finetune.ranking.request import check_request, too_few
from tf_finetune.tasks.classes import Classes
from tf_finetune.tasks.several_classes import SeveralClasses
from tf_finetune.tasks.spans.spans import Spans
from tf_finetune.tasks.values import Values

TWO, SEVERAL = Classes(("neg", "pos")), SeveralClasses(("sport", "war"))


def request(labels, count=5, by=None, balanced=False):
    return check_request(labels, count, by, balanced=balanced, seed=3)


def test_margin_is_usual_and_coverage_where_there_are_no_probabilities():
    assert (request(TWO).by, request(SEVERAL).by, request(Values()).by) == (
        *("margin", "margin", "coverage"),
    )
    assert request(TWO, by="coverage").measure(TWO) == "entropy"
    assert request(TWO, by="margin").measure(TWO) == "margin"
    assert request(Values()).measure(Values()) is None


def test_coverage_keeps_ten_texts_for_each_that_it_gives():
    assert request(TWO, by="coverage").kept == 50
    assert request(TWO, by="entropy").kept == 5


def test_all_that_a_model_cannot_be_asked_is_told_at_once():
    with pytest.raises(UserError) as caught:
        request(Values(), count=0, by="entropy", balanced=True)

    assert caught.value.problems == [
        "--count: received 0; accepted: a whole number of at least 1",
        "--by: received 'entropy' for a regression model; accepted: coverage",
        f"--balanced: received, but a regression model gives {Values.answer_kind}; accepted: of a "
        "model that gives each text one class",
    ]
    with pytest.raises(UserError, match="received 'doubt'; accepted: margin, entropy, coverage"):
        request(TWO, by="doubt")
    with pytest.raises(UserError, match="--balanced: received, but a multi_label model gives"):
        request(SEVERAL, balanced=True)
    with pytest.raises(UserError, match="received span, whose models are not asked which"):
        request(Spans())


def test_fewer_texts_than_asked_for_are_counted():
    (said,) = too_few("--count", 1000, 12, "new.csv").problems
    assert said == (
        "--count: received 1,000, but new.csv holds 12 different texts that are not labelled yet; "
        "accepted: 1 to 12"
    )
    assert "accepted: texts that are not labelled" in too_few("--count", 1, 0, "a").problems[0]
