"""A SavedModel that answers otherwise than the trained model is refused."""

import math

import pytest

from tf_finetune.errors import UserError
from tf_finetune.export.saved_model_check import SavedModelCheck, require_same_answers
from tf_finetune.export.tokenizer_skew import Skew


def check(difference, mismatches=0):
    return SavedModelCheck("test", 10, difference, Skew(10, mismatches), Skew(5))


@pytest.mark.parametrize(
    ("difference", "precision"), [(9e-4, "float32"), (0.09, "mixed_bfloat16"), (0.0, "float32")]
)
def test_rounding_is_accepted(difference, precision):
    require_same_answers(check(difference), precision)


def test_texts_with_other_tokens_explain_a_difference():
    require_same_answers(check(2.0, mismatches=1), "float32")


@pytest.mark.parametrize(
    ("difference", "mismatches", "precision"),
    [
        (2e-3, 0, "float32"),
        (0.2, 0, "mixed_float16"),
        (math.nan, 0, "float32"),
        (math.nan, 3, "float32"),
        (math.inf, 3, "float32"),
    ],
)
def test_another_answer_is_refused(difference, mismatches, precision):
    with pytest.raises(UserError, match=r"its logits differ by .* from those of the trained model"):
        require_same_answers(check(difference, mismatches), precision)
