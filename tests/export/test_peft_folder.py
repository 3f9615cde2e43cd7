"""The folder for PEFT holds what was added, head and pooler, and is refused where that is not all.

That PEFT computes the same from it is checked by tools/check_pytorch.
"""

import json
import shutil

import numpy as np
import pytest
from safetensors.numpy import load_file

from tf_finetune.encoders.checkpoints.writing import pytorch_tensors, write_weights
from tf_finetune.encoders.families.table import FAMILIES
from tf_finetune.encoders.locating import EncoderFiles, resolve_encoder
from tf_finetune.errors import UserError
from tf_finetune.export.peft_folder import write_adapter
from tf_finetune.models.initial_values import initial_values
from tf_finetune.models.merging import by_matrix, merged
from tf_finetune.tasks.tags.tags import Tags

DORA = {"name": "lora", "rank": 2, "weight_decomposed": True, "targets": ["value", "down"]}


@pytest.fixture
def trained(tmp_path, spec_for, make_encoder):
    """Write a run's model folder by hand: an encoder, and what was added at random; its spec."""

    def train(model_type="bert", method=None, change=None, labels=2, **sections):
        sizes = {"pad_token_id": 0} if model_type == "gpt2" else {}
        base = make_encoder(tmp_path / "encoder", model_type=model_type, **sizes)
        sections = {"method": method or {"name": "lora"}, **sections}
        spec = spec_for(base, labels, **sections)
        generator = np.random.default_rng(5)
        values = dict(initial_values(spec.files, spec.variables, seed=0))
        for variable in spec.plan.added:
            values[variable.path] = generator.normal(0, 0.3, variable.shape).astype(np.float32)
        if change is not None:
            values[change] = values[change] + 1
        added = [(v, values[v.path]) for v in spec.plan.added]
        plain = merged(spec.plan.method, spec.variables, by_matrix(added), lambda v: values[v.path])
        values |= dict(plain)
        folder = tmp_path / "model"
        folder.mkdir()
        pooling = spec.files.pooling
        told = {} if pooling == spec.files.family.pooling else {"text_pooling": pooling}
        config = {**spec.files.config, **told}
        (folder / "config.json").write_text(json.dumps(config))
        pretrained = ((v, values[v.path]) for v in spec.variables if v.beside is None)
        write_weights(folder / "model.safetensors", pytorch_tensors(pretrained))
        write_weights(folder / "added.safetensors", pytorch_tensors(added))
        sections.pop("encoder", None)
        opened = spec_for(EncoderFiles("run", folder), labels, **sections)
        return opened, EncoderFiles(str(base), base)

    return train


def written(folder, spec, base):
    folder.mkdir()
    write_adapter(folder, spec, base)
    config = json.loads((folder / "adapter_config.json").read_text())
    return config, load_file(folder / "adapter_model.safetensors")


def test_lora_of_the_layers_above_the_depth_with_head_and_pooler(trained, tmp_path):
    spec, base = trained(freeze={"depth": 2})
    config, tensors = written(tmp_path / "out", spec, base)

    query = "bert.encoder.layer.2.attention.self.query"
    modules = [query, query.replace("query", "value")]
    assert config == {
        **{"peft_type": "LORA", "task_type": "SEQ_CLS", "inference_mode": True, "bias": "none"},
        **{"r": 8, "lora_alpha": 16.0, "lora_dropout": 0.0, "use_rslora": False},
        **{"use_dora": False, "fan_in_fan_out": False, "target_modules": modules},
        "modules_to_save": ["classifier", "bert.pooler.dense"],
        "base_model_name_or_path": str(base.path),
    }
    above = {f"{name}.{kind}" for name in config["modules_to_save"] for kind in ("weight", "bias")}
    of_lora = {f"{module}.lora_{letter}.weight" for module in modules for letter in "AB"}
    assert tensors.keys() == {f"base_model.model.{name}" for name in above | of_lora}
    a, b = (tensors[f"base_model.model.{query}.lora_{letter}.weight"] for letter in "AB")
    before, after = (load_file(f.path / "model.safetensors") for f in (base, spec.files))
    merged_weight = before[f"{query}.weight"] + 2 * b @ a
    np.testing.assert_allclose(after[f"{query}.weight"], merged_weight, rtol=0, atol=1e-6)


def test_dora_names_its_lengths_as_peft_saves_them(trained, tmp_path):
    config, tensors = written(tmp_path / "out", *trained(method=DORA))

    assert config["use_dora"] and config["r"] == 2
    # Whole names: "output.dense" alone would mean attention's, too.
    down = "bert.encoder.layer.0.output.dense"
    assert down in config["target_modules"]
    assert tensors[f"base_model.model.{down}.lora_magnitude_vector"].shape == (32,)


def test_adalora_is_lora_with_a_rank_for_each_module_by_its_whole_name(trained, tmp_path):
    method = {"name": "adalora", "alpha": 3}
    config, tensors = written(tmp_path / "out", *trained(method=method, freeze={"depth": 2}))

    modules = config["target_modules"]
    assert config["peft_type"] == "LORA"
    assert config["rank_pattern"] == dict.fromkeys(modules, 6)
    assert config["alpha_pattern"] == dict.fromkeys(modules, 3.0)
    assert tensors[f"base_model.model.{modules[0]}.lora_A.weight"].shape == (6, 32)
    assert not any("lora_E" in name for name in tensors)


def test_matrices_that_pytorch_stores_as_they_are_are_told(trained, tmp_path):
    config, tensors = written(tmp_path / "out", *trained("gpt2"))

    assert config["fan_in_fan_out"]
    assert config["modules_to_save"] == ["score"]
    a = tensors["base_model.model.transformer.h.0.attn.c_attn.lora_A.weight"]
    assert a.shape == (8, 32)


@pytest.mark.parametrize(
    ("family", "modules"),
    [
        ("roberta", ["classifier"]),  # its pooler is a part of the head
        ("distilbert", ["classifier", "pre_classifier"]),
        ("albert", ["classifier", "albert.pooler"]),
        ("deberta-v2", ["classifier", "pooler.dense"]),
    ],
)
def test_head_and_pooler_by_their_names_in_each_family(family, modules, trained, tmp_path):
    assert family in FAMILIES
    config, _ = written(tmp_path / "out", *trained(family))

    assert config["modules_to_save"] == modules


@pytest.mark.parametrize("family", ["electra", "gpt2"])
def test_an_adapter_of_words_is_one_of_the_library_s_model_of_tokens(family, trained, tmp_path):
    labels = Tags(("O", "B-film", "I-film"))
    run = trained(family, labels=labels, encoder={"pooling": "words"})
    config, tensors = written(tmp_path / "out", *run)

    assert config["task_type"] == "TOKEN_CLS"
    assert config["modules_to_save"] == ["classifier"]
    assert all(name.startswith(FAMILIES[family].backbone) for name in config["target_modules"])
    assert tensors["base_model.model.classifier.weight"].shape == (3, 32)
    # PyTorch's head has a bias in every family.
    assert tensors["base_model.model.classifier.bias"].tolist() == [0.0, 0.0, 0.0]


def test_another_pooling_is_an_adapter_of_the_bare_encoder_with_a_head_beside_it(trained, tmp_path):
    config, tensors = written(tmp_path / "out", *trained(encoder={"pooling": "mean"}))

    assert config["task_type"] == "FEATURE_EXTRACTION" and config["modules_to_save"] is None
    assert "encoder.layer.0.attention.self.query" in config["target_modules"]
    assert all(".lora_" in name and ".bert." not in name for name in tensors)
    assert load_file(tmp_path / "out" / "head.safetensors").keys() == {
        "classifier.weight",
        "classifier.bias",
    }


@pytest.mark.parametrize("sections", [{}, {"method": DORA}, {"encoder": {"pooling": "mean"}}])
def test_read_back_beside_its_encoder_it_is_the_model(sections, trained, tmp_path):
    spec, base = trained(**sections)
    written(tmp_path / "out", spec, base)
    shutil.copy(spec.files.path / "config.json", tmp_path / "out")
    files = resolve_encoder(str(base.path), adapter=str(tmp_path / "out"))

    assert files.pooling == spec.files.pooling
    variables = files.variables(2)
    with files.checkpoint.reading() as found, spec.files.checkpoint.reading() as expected:
        for variable in variables:
            value = expected(variable)
            np.testing.assert_allclose(found(variable), value, rtol=0, atol=1e-6)


def test_variables_of_the_encoder_that_rules_trained_are_refused(trained, tmp_path):
    rules = [{"train": True, "parts": ["layer_norm"], "layers": "2"}]
    spec, base = trained(freeze={"depth": 2, "rules": rules})

    with pytest.raises(UserError, match=r"freeze.rules of this run trained bert/\S*gamma, .* of"):
        write_adapter(tmp_path, spec, base)


def test_a_run_that_added_nothing_is_refused(trained, tmp_path):
    spec, base = trained(freeze={"depth": 3})

    with pytest.raises(UserError, match=r"added nothing to a layer \(freeze.depth=3 of 3\)"):
        write_adapter(tmp_path, spec, base)


def test_layers_that_did_not_begin_as_the_encoders_are_refused(trained, tmp_path):
    changed = "bert/encoder/layer_._1/attention/self/value/kernel"
    spec, base = trained(change=changed)

    with pytest.raises(UserError, match=f"in this run {changed} began with other values; accepted"):
        write_adapter(tmp_path, spec, base)


def test_ia3_names_what_scales_inputs(trained, tmp_path):
    config, tensors = written(
        tmp_path / "out", *trained(method={"name": "ia3"}, freeze={"depth": 2})
    )

    layer = "bert.encoder.layer.2"
    down = f"{layer}.output.dense"
    scaled = [f"{layer}.attention.self.key", f"{layer}.attention.self.value"]
    assert (config["peft_type"], config["feedforward_modules"]) == ("IA3", [down])
    assert config["target_modules"] == [*scaled, down]
    shapes = {m: tensors[f"base_model.model.{m}.ia3_l"].shape for m in config["target_modules"]}
    assert [shapes[m] for m in scaled] == [(32, 1)] * 2
    assert shapes[down] == (1, 64)
