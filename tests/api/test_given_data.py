"""The first arguments of a call become sources and columns."""

import pandas as pd
import pytest

from tf_finetune.api.given_data import given_data
from tf_finetune.errors import UserError

FRAME = pd.DataFrame({"review": ["a", "b"], "stars": [1, 2], "good": [0, 1], "long": [1, 1]})


def given(data=None, *, validation=None, test=None, text=None, label=None, text_pair=None):
    return given_data(data, validation, test, text, label, text_pair)


def test_names_of_columns_are_options():
    found = given(FRAME, text="review", label="stars")

    assert found.options["train"] == found.source
    assert (found.options["text_column"], found.options["label_column"]) == ("review", "stars")


def test_several_label_columns_are_a_list():
    assert given(FRAME, label=["good", "long"]).options["label_columns"] == ["good", "long"]


def test_splits_of_a_mapping_and_of_arguments():
    found = given({"train": FRAME, "test": "test.csv"}, validation=FRAME.iloc[:1])

    assert found.options["test"] == "test.csv"
    assert len({found.options[name] for name in ("train", "validation", "test")}) == 3
    assert len(found.held) == 2
    assert given("reviews.csv").source is None
    assert given().options == {}


def test_lists_are_columns_of_their_own():
    found = given(["a", "b"], label=[1, 2], text_pair=["c", "d"])

    assert found.options.keys() == {"train", "text_column", "label_column", "text_pair_column"}
    assert found.held[0].columns == ("text", "label", "text_pair")


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"data": ["a"], "label": "stars"}, "a list of texts needs its labels"),
        ({"data": ["a"], "label": [1], "text": "review"}, "text: received 'review' with a list"),
        ({"data": {"train": FRAME, "test": FRAME}, "test": FRAME}, "test: given twice"),
        ({"data": 3, "validation": 4}, "validation: received an int"),
    ],
)
def test_mistakes_are_told(arguments, problem):
    with pytest.raises(UserError) as raised:
        given(**arguments)
    assert problem in str(raised.value)
