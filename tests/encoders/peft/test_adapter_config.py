"""What adapter_config.json may say, and what is refused of it."""

import json

import pytest

from tf_finetune.encoders.peft.adapter import open_adapter
from tf_finetune.encoders.peft.adapter_config import read_adapter_config
from tf_finetune.errors import UserError

LORA = {"peft_type": "LORA", "r": 4, "lora_alpha": 8}
# What PEFT 0.21.2 writes beside, of an adapter that is nothing but LoRA.
USUAL = {
    **{"task_type": "SEQ_CLS", "auto_mapping": None, "peft_version": "0.21.2", "revision": None},
    **{"base_model_name_or_path": "org/base", "inference_mode": True, "lora_dropout": 0.1},
    **{"target_modules": ["query"], "exclude_modules": None, "fan_in_fan_out": False},
    **{"bias": "none", "use_rslora": False, "modules_to_save": ["classifier", "score"]},
    **{"init_lora_weights": True, "layers_to_transform": [1, 2], "layers_pattern": "layer"},
    **{"rank_pattern": {}, "alpha_pattern": {}, "megatron_config": None},
    **{"megatron_core": "megatron.core", "trainable_token_indices": None, "loftq_config": {}},
    **{"eva_config": None, "corda_config": None, "lora_ga_config": None, "use_dora": False},
    **{"use_qalora": False, "qalora_group_size": 16, "layer_replication": None},
    **{"lora_bias": False, "target_parameters": None, "ensure_weight_tying": False},
}


def written(folder, content):
    (folder / "adapter_config.json").write_text(content)
    return folder


def test_what_peft_writes_is_read(tmp_path):
    found = read_adapter_config(written(tmp_path, json.dumps(USUAL | LORA)))

    assert (found.words, found.base, found.scale("a.query", 4)) == ("LoRA", "org/base", 2.0)


def test_alphas_of_modules_go_by_whole_parts_of_their_names(tmp_path):
    said = LORA | {"alpha_pattern": {"^b.query": 4, "up": 12}, "use_rslora": True}
    found = read_adapter_config(written(tmp_path, json.dumps(said)))

    scales = [found.scale(name, 4) for name in ("b.query", "a.up", "a.cup")]
    assert scales == [2.0, 6.0, 4.0]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"peft_type": "LOHA"}, r"peft_type: received 'LOHA'; accepted: LORA, IA3"),
        ({"peft_type": None}, "peft_type: received null"),
        ({"r": 0}, "r: received 0; accepted: an integer from 1"),
        ({"lora_alpha": "8"}, "lora_alpha: received '8'; accepted: a number above 0"),
        ({"use_dora": "yes"}, "use_dora: received 'yes'; accepted: true, false"),
        ({"init_lora_weights": "pissa"}, "'pissa', which changes the encoder's own weights"),
        ({"layer_replication": [[0, 2]]}, "layer_replication: received .*not computed here"),
        ({"alpha_pattern": {"(a+)+": 1}}, r"alpha_pattern: received '\(a\+\)\+'; accepted: ends"),
        ({"rank_pattern": [3]}, r"rank_pattern: received \[3\]; accepted: an object"),
        ({"peft_type": "IA3", "use_dora": True}, "use_dora: received true, which is not computed"),
    ],
)
def test_what_is_not_computed_is_refused(more, message, tmp_path):
    folder = written(tmp_path, json.dumps(LORA | more))

    with pytest.raises(UserError, match=f"encoder.adapter: .*adapter_config.json: .*{message}"):
        read_adapter_config(folder)


@pytest.mark.parametrize("content", ["{", "[1]", "[" * 10000, '"\\ud800'])
def test_a_damaged_file_is_refused(content, tmp_path):
    with pytest.raises(UserError, match="not valid JSON|received a list"):
        read_adapter_config(written(tmp_path, content))


def test_folders_without_an_adapter_are_refused(tmp_path):
    with pytest.raises(UserError, match=r"has no adapter_config.json; accepted: a folder that PE"):
        open_adapter(tmp_path)
    written(tmp_path, json.dumps(LORA))
    with pytest.raises(UserError, match=r"has no adapter_model.safetensors; accepted: adapter_mo"):
        open_adapter(tmp_path)
    (tmp_path / "adapter_model.bin").touch()
    with pytest.raises(UserError, match="but adapter_model.bin, a pickle, which can run code; acc"):
        open_adapter(tmp_path)


def test_a_damaged_file_of_tensors_is_refused(tmp_path):
    written(tmp_path, json.dumps(LORA))
    (tmp_path / "adapter_model.safetensors").write_bytes(b"\x00" * 20)

    with pytest.raises(UserError, match="adapter_model.safetensors: damaged"):
        open_adapter(tmp_path)
