"""GPT-2's table of variables, its norm above the layers, and what is not computed."""

import numpy as np
import pytest

from tf_finetune.encoders.checkpoint_check import check_checkpoint
from tf_finetune.encoders.checkpoints.layouts import PyTorchLayout, TensorFlowLayout
from tf_finetune.encoders.families.table import FAMILIES, family_of
from tf_finetune.encoders.locating import EncoderFiles
from tf_finetune.encoders.pooling import pooling_problems
from tf_finetune.errors import UserError
from tf_finetune.methods.full import Full
from tf_finetune.options.freeze import FreezeConfig
from tf_finetune.plans.arithmetic import plan_cost
from tf_finetune.plans.freezing import plan_freezing
from tf_finetune.plans.solver import trains_head_alone

GPT2 = FAMILIES["gpt2"]
# As OpenAI's config.json says it, but for what is no size.
SMALL = {
    "model_type": "gpt2",
    "n_embd": 768,
    "n_layer": 12,
    "n_head": 12,
    "n_positions": 1024,
    "vocab_size": 50257,
}
TINY = SMALL | {"n_embd": 4, "n_layer": 2, "n_head": 1, "n_inner": 6}


@pytest.fixture(scope="module")
def variables():
    return GPT2.variables(SMALL, num_labels=2)


def plan_of(variables, **freeze):
    return plan_freezing(FreezeConfig.model_validate(freeze), Full(), variables)


def test_the_small_one_has_the_124_million_parameters_that_it_is_known_for(variables):
    assert sum(v.count for v in variables) == 124_439_808 + 768 * 2
    assert [v.path for v in variables if v.part == "head"] == ["score/kernel"]


def test_the_norm_above_the_layers_is_frozen_with_the_last_of_them(variables):
    norm = {"transformer/ln_f/gamma", "transformer/ln_f/beta"}

    assert norm <= plan_of(variables, depth=11).trainable_paths
    assert plan_of(variables, depth=11).frozen_depth == 11
    frozen = plan_of(variables, depth=12)
    assert frozen.trainable_paths == {"score/kernel"}
    assert trains_head_alone(frozen)


def test_products_lie_in_pytorch_as_they_are_and_their_biases_without_the_row(variables):
    by_path = {v.path: v for v in variables}
    layer = "transformer/h_._3/attn/c_attn"
    kernel, bias = by_path[f"{layer}/weight"], by_path[f"{layer}/bias"]
    value = np.arange(2304.0)[None]

    assert (kernel.shape, kernel.tensor_shape) == ((768, 2304), (768, 2304))
    assert (bias.shape, bias.tensor_shape) == ((1, 2304), (2304,))
    assert (bias.tensor, bias.as_tensor(value).shape) == (
        "transformer.h.3.attn.c_attn.bias",
        (2304,),
    )
    for layout, shape in ((PyTorchLayout(), (2304,)), (TensorFlowLayout(), (1, 2304))):
        assert layout.shape(bias) == shape
        assert layout.shape_of(bias, shape) == (1, 2304)
        np.testing.assert_array_equal(layout.value_of(bias, value.reshape(shape)), value)
    assert by_path["score/kernel"].transposed


@pytest.mark.parametrize("said", [{}, {"n_inner": None}, {"n_inner": 3072}])
def test_the_inner_width_is_by_default_that_of_four_states(said):
    assert family_of(SMALL | said, "c.json").sizes(SMALL | said).inner == 3072


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_inner": 0}, "n_inner: received 0, accepted: an integer"),
        ({"n_embd": "wide"}, "n_embd: received 'wide', accepted: an integer"),
        ({"n_head": 5}, "n_embd 768 is not a multiple of n_head 5"),
        ({"scale_attn_weights": False}, "scale_attn_weights: received false, accepted: true"),
        ({"scale_attn_by_inverse_layer_idx": True}, "inverse_layer_idx: received true, accepted"),
        ({"add_cross_attention": True}, "add_cross_attention: received true, accepted: false"),
        ({"activation_function": "exec"}, "activation_function: received 'exec', accepted: gelu"),
    ],
)
def test_what_is_not_computed_is_refused(change, message):
    with pytest.raises(UserError, match=message):
        family_of(SMALL | change, "c.json")


def test_an_inner_width_that_is_left_out_is_no_mistake():
    with pytest.raises(UserError, match="accepted: an integer") as caught:
        family_of({"model_type": "gpt2", "n_head": 12, "n_layer": 12, "vocab_size": 9}, "c.json")

    assert [problem.split(":")[1] for problem in caught.value.problems] == [
        " n_embd",
        " n_positions",
    ]


def test_the_first_token_is_not_read():
    assert pooling_problems("last", GPT2) == []
    assert pooling_problems("first", GPT2) == [
        "encoder.pooling: received first, which gpt2 cannot do; accepted: auto, mean, max, last, "
        "words"
    ]


def test_work_of_a_step_by_hand():
    variables = GPT2.variables(TINY, 2)
    costs = [
        plan_cost(
            plan_of(variables, depth=depth),
            variables,
            GPT2,
            GPT2.sizes(TINY),
            batch_size=1,
            length=3,
            pooling="last",
        )
        for depth in range(3)
    ]
    # Three tokens, then the keys and values of three and all else of one.
    lower = 3 * 2 * 4 * 12 + 2 * 2 * 3 * 3 * 4 + 3 * 2 * 4 * 4 + 2 * 3 * 2 * 4 * 6
    upper = 2 * 4 * 4 + 3 * 2 * 4 * 8 + 2 * 2 * 1 * 3 * 4 + 2 * 4 * 4 + 2 * 2 * 4 * 6
    attention, head = 2 * 2 * 1 * 3 * 4, 2 * 4 * 2

    assert [cost.forward_flops for cost in costs] == [lower + upper + head] * 3
    assert [cost.prefix_flops for cost in costs] == [0, lower, lower + upper]
    # Attention has no weights, but two inputs; the head its weights and its input. The fused
    # product of the layer above the prefix needs a gradient of its input for the norm below it.
    assert costs[1].backward_flops == 2 * (upper - attention) + 2 * attention + 2 * head
    assert costs[2].backward_flops == head
    assert [cost.state_bytes for cost in costs] == [0, 4 * 3 * 4, 4 * 4]


def test_layers_of_another_number_are_told_by_their_numbers(make_encoder, tmp_path):
    folder = make_encoder(tmp_path / "more", model_type="gpt2", n_layer=4)
    with pytest.raises(UserError, match="holds no encoder layer 3; expected layers 0 to 3") as seen:
        check_checkpoint(EncoderFiles("more", folder), 2, head_required=False)
    assert len(seen.value.problems) == 1

    folder = make_encoder(tmp_path / "fewer", model_type="gpt2", n_layer=2)
    with pytest.raises(UserError, match="holds encoder layer 2; expected layers 0 to 1, as n_lay"):
        check_checkpoint(EncoderFiles("fewer", folder), 2, head_required=False)
