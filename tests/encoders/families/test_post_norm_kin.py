"""The tables of families that are built like BERT have the sizes that they are known for."""

import pytest

from tf_finetune.encoders.families.table import FAMILIES
from tf_finetune.encoders.variables import possible_depths
from tf_finetune.errors import UserError
from tf_finetune.methods.full import Full
from tf_finetune.options.freeze import FreezeConfig
from tf_finetune.plans.arithmetic import plan_cost
from tf_finetune.plans.freezing import plan_freezing

SMALL_ELECTRA = {
    "hidden_size": 256,
    "embedding_size": 128,
    "num_hidden_layers": 12,
    "num_attention_heads": 4,
    "intermediate_size": 1024,
    "vocab_size": 30522,
    "max_position_embeddings": 512,
    "type_vocab_size": 2,
}


DEBERTA_V3 = {
    "type_vocab_size": 0,
    "position_biased_input": False,
    "position_buckets": 256,
    "norm_rel_ebd": "layer_norm",
    "share_att_key": True,
}


@pytest.mark.parametrize(
    ("model_type", "change", "parameters"),
    [
        # Those of the base model that PyTorch reports, and a head of two labels, by hand: a
        # dense layer of 768 x 768 + 768 and one of 768 x 2 + 2.
        ("roberta", {"vocab_size": 50265, "max_position_embeddings": 514}, 124_055_040),
        ("xlm-roberta", {"vocab_size": 250002, "max_position_embeddings": 514}, 277_453_056),
        ("camembert", {"vocab_size": 32005, "max_position_embeddings": 514}, 110_031_360),
        ("mpnet", {"vocab_size": 30527, "max_position_embeddings": 514}, 108_895_872),
        ("deberta-v2", DEBERTA_V3 | {"vocab_size": 128100}, 183_831_552),
    ],
)
def test_base_encoders_have_the_parameters_that_they_are_known_for(
    model_type, change, parameters, bert_base
):
    variables = FAMILIES[model_type].variables(bert_base | {"type_vocab_size": 1} | change, 2)

    assert sum(v.count for v in variables) == parameters + 768 * 768 + 768 + 768 * 2 + 2


def test_distilbert_has_66_million_parameters():
    config = {"dim": 768, "n_layers": 6, "n_heads": 12, "hidden_dim": 3072}
    config |= {"vocab_size": 30522, "max_position_embeddings": 512}

    variables = FAMILIES["distilbert"].variables(config, 2)

    assert sum(v.count for v in variables) == 66_955_010


def electra_cost(**freeze):
    family = FAMILIES["electra"]
    variables = family.variables(SMALL_ELECTRA, 2)
    plan = plan_freezing(FreezeConfig.model_validate(freeze), Full(), variables)
    sizes = family.sizes(SMALL_ELECTRA)
    return plan_cost(plan, variables, family, sizes, batch_size=2, length=10)


def test_electra_small_has_13_million_parameters():
    assert electra_cost().trainable == 13_548_800 + 256 * 2 + 2


def test_widening_the_embeddings_is_counted():
    widening = 2 * 2 * 10 * 128 * 256
    whole, frozen, deeper = electra_cost(), electra_cost(embeddings=True), electra_cost(depth=1)
    layer = 2 * (4 * 2 * 10 * 256**2 + 2 * 2 * 10 * 10 * 256 + 2 * 2 * 10 * 256 * 1024)

    assert deeper.prefix_flops == widening + layer
    # Its matrix and its input, and the inputs of the first query, key and value.
    assert whole.backward_flops - frozen.backward_flops == 2 * widening + 3 * 2 * 2 * 10 * 256**2
    assert whole.forward_flops == frozen.forward_flops


def deberta_cost(bert_base, pattern, **change):
    small = {"hidden_size": 2, "num_hidden_layers": 1, "num_attention_heads": 1}
    small |= {"intermediate_size": 4, "vocab_size": 5}
    family, config = FAMILIES["deberta-v2"], bert_base | DEBERTA_V3 | small | change
    variables = family.variables(config, 3)
    rules = [{"train": True, "pattern": pattern}, {"train": True, "parts": ["head"]}]
    freeze = FreezeConfig.model_validate({"rules": [*rules, {"train": False}]})
    plan = plan_freezing(freeze, Full(), variables)
    sizes = family.sizes(config)
    return plan_cost(plan, variables, family, sizes, batch_size=3, length=2)


def test_distances_are_made_into_keys_and_queries_once_a_batch(bert_base):
    # A text as in tests/plans/test_arithmetic.py, its query by four distances, its two keys too.
    a_text = 116 + 2 * 4 * 2 + 2 * 2 * 4 * 2
    made = 2 * 4 * 2 * 2

    assert deberta_cost(bert_base, ".*").forward_flops == 3 * a_text + 2 * made
    assert deberta_cost(bert_base, ".*").backward_flops == 2 * (3 * a_text + 2 * made)


def test_a_key_that_distances_share_gets_a_gradient_of_theirs(bert_base):
    # Its weight, one operand of three products of scores, one of the context, what is above.
    of_tokens = 16 + 8 + 32 + 8 + 8 + 16 + 16 + 8 + 24
    shared = deberta_cost(bert_base, "/key_proj/kernel")
    own = deberta_cost(bert_base, "/key_proj/kernel", share_att_key=False)

    assert own.backward_flops == 3 * of_tokens
    # The weight again, once a batch, and the query's product with what it gives.
    assert shared.backward_flops == 3 * (of_tokens + 16) + 32


SMALL_ALBERT = {
    "hidden_size": 768,
    "embedding_size": 128,
    "num_hidden_layers": 12,
    "num_hidden_groups": 1,
    "num_attention_heads": 12,
    "intermediate_size": 3072,
    "vocab_size": 30000,
    "max_position_embeddings": 512,
    "type_vocab_size": 2,
}


def test_albert_base_has_12_million_parameters_and_two_depths():
    variables = FAMILIES["albert"].variables(SMALL_ALBERT, 2)

    assert sum(v.count for v in variables) == 11_683_584 + 768 * 2 + 2
    assert possible_depths(variables) == [0, 12]


def test_groups_of_layers_end_where_a_depth_may():
    config = SMALL_ALBERT | {"num_hidden_groups": 4}

    assert possible_depths(FAMILIES["albert"].variables(config, 2)) == [0, 3, 6, 9, 12]


@pytest.mark.parametrize(
    ("freeze", "message"),
    [
        ({"depth": 3}, "freeze.depth: received 3; accepted: 0, 12, because layers of this enc"),
        (
            {"rules": [{"train": False, "layers": "0-3"}]},
            r"freeze.rules\[0\].layers: received '0-3'; accepted: with all of layers 0-11, which",
        ),
    ],
)
def test_what_would_part_shared_weights_is_refused(freeze, message):
    variables = FAMILIES["albert"].variables(SMALL_ALBERT, 2)

    with pytest.raises(UserError, match=message):
        plan_freezing(FreezeConfig.model_validate(freeze), Full(), variables)
    whole = FreezeConfig.model_validate({"rules": [{"train": False, "layers": "0-11"}]})
    assert plan_freezing(whole, Full(), variables).frozen_depth == 0
    assert plan_freezing(FreezeConfig(depth=12), Full(), variables).frozen_depth == 12
