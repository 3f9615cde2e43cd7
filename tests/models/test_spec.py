"""What is wrong with a model is told before anything is built."""

import pytest

from tf_finetune.encoders.families.bert import Bert
from tf_finetune.errors import UserError


def test_a_pooling_that_the_family_cannot_do_is_told_with_all_other_problems(
    tiny_encoder, spec_for, monkeypatch
):
    monkeypatch.setattr(Bert, "poolings", ("first", "max"))
    sections = {"encoder": {"pooling": "mean"}}

    with pytest.raises(UserError) as alone:
        spec_for(tiny_encoder, **sections)
    with pytest.raises(UserError) as with_others:
        spec_for(tiny_encoder, **sections, freeze={"depth": 9})

    problem = "encoder.pooling: received mean, which bert cannot do; accepted: auto, first, max"
    assert alone.value.problems == [problem]
    assert with_others.value.problems[0] == problem
    assert with_others.value.problems[1].startswith("freeze.depth: received 9")


def test_rules_about_a_pooler_that_is_not_used_select_nothing(tiny_encoder, spec_for):
    freeze = {"rules": [{"train": False, "parts": ["pooler"]}]}

    spec_for(tiny_encoder, freeze=freeze)
    with pytest.raises(UserError, match=r"freeze.rules\[0\]: selects no variable"):
        spec_for(tiny_encoder, freeze=freeze, encoder={"pooling": "mean"})
