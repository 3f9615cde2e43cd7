"""A fast tokenizer is taken apart, or what is unknown about it is named."""

import copy

import pytest
from tokenizers import AddedToken, normalizers, pre_tokenizers

from tf_finetune.errors import UserError
from tf_finetune.export.tokenizer_recipe import Part, read_recipe


@pytest.fixture
def tokenizer(tiny_tokenizer):
    return copy.deepcopy(tiny_tokenizer)


def test_parts_of_a_bert_tokenizer(tokenizer):
    cls, sep = tokenizer.cls_token_id, tokenizer.sep_token_id

    recipe = read_recipe(tokenizer)

    assert recipe.single.parts == (Part((cls,), (0,)), Part((sep,), (0,)))
    assert recipe.pair.parts == (Part((cls,), (0,)), Part((sep,), (0,)), Part((sep,), (1,)))
    assert (recipe.pair.type_ids, recipe.pair.num_special) == ((0, 1), 3)
    assert recipe.vocabulary[tokenizer.convert_tokens_to_ids("film")] == "film"
    assert recipe.special_ids["[MASK]"] == tokenizer.mask_token_id
    assert (recipe.unknown_id, recipe.pad_id) == (tokenizer.unk_token_id, tokenizer.pad_token_id)
    assert (recipe.continuing_prefix, recipe.max_word_characters) == ("##", 100)


def test_tokenizer_is_not_changed(tokenizer):
    tokenizer("a", truncation=True, max_length=8, padding="max_length")
    before = tokenizer.backend_tokenizer.to_str()

    read_recipe(tokenizer)

    assert tokenizer.backend_tokenizer.to_str() == before


def test_unknown_components_are_all_named(tokenizer):
    tokenizer.backend_tokenizer.normalizer = normalizers.NFKC()
    tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.padding_side = "left"

    with pytest.raises(UserError, match="cannot be built into a SavedModel") as raised:
        read_recipe(tokenizer)

    problems = "\n".join(raised.value.problems)
    assert "normalizer: received 'NFKC'; accepted: 'BertNormalizer'" in problems
    assert "pre_tokenizer: received 'Whitespace'; accepted: 'BertPreTokenizer'" in problems
    assert "padding_side: received 'left'" in problems


def test_added_tokens_with_rules_of_their_own_are_refused(tokenizer):
    tokenizer.add_tokens([AddedToken("<b>", lstrip=True, normalized=False)])

    with pytest.raises(UserError, match=r"added token '<b>': received lstrip=true"):
        read_recipe(tokenizer)


def test_added_tokens_that_overlap_are_refused(tokenizer):
    tokenizer.add_special_tokens({"additional_special_tokens": ["<ab>", ">c<"]})

    with pytest.raises(UserError, match=r"'<ab>' and '>c<': received tokens that overlap"):
        read_recipe(tokenizer)
