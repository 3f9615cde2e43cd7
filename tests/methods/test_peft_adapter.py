"""What a method writes for PEFT means what it means here."""

import json

import numpy as np
import pytest
from safetensors.numpy import save_file

from tf_finetune.encoders.families.table import FAMILIES
from tf_finetune.encoders.peft.adapter import open_adapter
from tf_finetune.methods.peft_adapter import module_of
from tf_finetune.methods.table import METHODS
from tf_finetune.options.freeze import FreezeConfig
from tf_finetune.plans.freezing import plan_freezing

SIZES = {
    **{"vocab_size": 30, "hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2},
    **{"intermediate_size": 16, "max_position_embeddings": 12, "type_vocab_size": 2},
}
OTHERS = {
    "stabilised": {"name": "lora", "rank": 3, "alpha": 5, "rank_stabilised": True},
    "dora": {"name": "lora", "rank": 2, "weight_decomposed": True, "targets": ["value", "down"]},
}
SETTINGS = {n: {"name": n} for n, kind in METHODS.items() if not kind.not_in_peft} | OTHERS


@pytest.mark.parametrize("setting", SETTINGS.values(), ids=SETTINGS)
def test_what_is_written_merges_to_what_the_method_merges(setting, tmp_path):
    method = METHODS[setting["name"]].model_validate(setting)
    variables = FAMILIES["bert"].variables(SIZES, num_labels=3)
    plan = plan_freezing(FreezeConfig(depth=1), method, variables)
    generator = np.random.default_rng(0)
    added = {}
    for variable in plan.added:
        value = generator.normal(0, 0.3, variable.shape).astype(np.float32)
        added.setdefault(variable.beside, {})[variable.name] = value

    adapter = method.peft_adapter(added)
    (tmp_path / "adapter_config.json").write_text(json.dumps(adapter.config))
    tensors = {
        f"base_model.model.{module_of(matrix)}.{name}": np.ascontiguousarray(value)
        for matrix, values in adapter.tensors.items()
        for name, value in values.items()
    }
    save_file(tensors, tmp_path / "adapter_model.safetensors")

    assert adapter.tensors.keys() == added.keys()
    with open_adapter(tmp_path).merging() as merge:
        for matrix, values in added.items():
            kernel = generator.normal(0, 0.3, matrix.shape).astype(np.float32)
            bias = generator.normal(0, 0.3, matrix.shape[1:]).astype(np.float32)
            expected = method.merged(kernel, bias, values)
            found = merge.kernel(module_of(matrix), kernel), merge.bias(module_of(matrix), bias)
            for one, other in zip(found, expected, strict=True):
                np.testing.assert_allclose(one, other, rtol=0, atol=1e-6)
