"""A SavedModel that answers otherwise than the trained model is refused."""

import math

import pytest

from tf_finetune.errors import UserError
from tf_finetune.export.saved_model_check import SavedModelCheck, require_same_answers
from tf_finetune.export.tokenizer_skew import Skew

ROUNDING = 1e-4


def check(difference, mismatches=0):
    return SavedModelCheck("test", 10, difference, Skew(10, mismatches), Skew(5))


@pytest.mark.parametrize("difference", [0.0, 0.9e-4, 1e-4])
def test_rounding_is_accepted(difference):
    require_same_answers(check(difference), ROUNDING)


def test_texts_with_other_tokens_explain_a_difference():
    require_same_answers(check(2.0, mismatches=1), ROUNDING)


@pytest.mark.parametrize(
    ("difference", "mismatches"),
    [(1.1e-4, 0), (math.nan, 0), (math.nan, 3), (math.inf, 3)],
)
def test_another_answer_is_refused(difference, mismatches):
    with pytest.raises(UserError, match=r"differ by .* from those .*; accepted: 1.0e-04 at most"):
        require_same_answers(check(difference, mismatches), ROUNDING)
