from tiny_variables import tiny_bert

from tf_finetune.encoders.families.table import FAMILIES
from tf_finetune.methods.ia3 import Ia3

BERT = tiny_bert(layers=1)
GPT2 = FAMILIES["gpt2"].variables(
    {"vocab_size": 30, "n_embd": 8, "n_layer": 1, "n_head": 2, "n_positions": 12}, num_labels=3
)


def tensors(method, variables):
    matrices = [v for v in variables if v.kind == "kernel" and v.layers]
    return {added.tensor: added.tensor_shape for m in matrices for added in method.added(m)}


def test_tensors_are_named_and_shaped_as_in_peft():
    layer = "bert.encoder.layer.0"
    assert tensors(Ia3(), BERT) == {
        f"{layer}.attention.self.key.ia3_l": (8, 1),
        f"{layer}.attention.self.value.ia3_l": (8, 1),
        f"{layer}.output.dense.ia3_l": (1, 16),
    }


def test_three_products_in_one_are_scaled_whole():
    assert tensors(Ia3(), GPT2) == {
        "transformer.h.0.attn.c_attn.ia3_l": (24, 1),
        "transformer.h.0.mlp.c_proj.ia3_l": (1, 32),
    }


def test_unknown_targets_and_those_of_both_lists_are_refused():
    method = Ia3(targets=("key", "gate"), feedforward_targets=("down", "key", "attn"))
    accepted = "accepted: query, key, value, attention_output, up, down"
    absent = "which a layer of this encoder does not have"

    assert method.problems(BERT) == [
        f"method.targets: received gate, {absent}; {accepted}",
        f"method.feedforward_targets: received attn, {absent}; {accepted}",
        "method.feedforward_targets: received key, which is one of method.targets too; accepted: "
        "each product in one of the two lists",
    ]
    assert Ia3().problems(BERT) == Ia3().problems(GPT2) == []
