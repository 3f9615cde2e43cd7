"""A step of real texts and weights is packed so that another machine can execute it."""

import json
import lzma
from dataclasses import replace

import numpy as np
import pytest

from tf_finetune.data.loading import load_splits
from tf_finetune.models.weights import Pretrained
from tf_finetune.preflight import step_package
from tf_finetune.preflight.device.arrays import ArrayStore
from tf_finetune.preflight.device.comparison import differences
from tf_finetune.preflight.program import Program
from tf_finetune.preflight.step_package import StepOf, StepPackage

WHAT = StepOf("step", "tiny", 2, 4, 16, "float32", cached=False, flops=1e9)


@pytest.fixture(scope="module")
def step(tiny_encoder, tiny_tokenizer, tiny_csv, spec_for, tmp_path_factory):
    from tf_finetune.preflight.real_step import first_batch, real_step
    from tf_finetune.training.compiling import build_fine_tuner
    from tf_finetune.training.strategy import without_strategy

    spec = spec_for(
        tiny_encoder,
        data={
            "train": str(tiny_csv),
            "max_length": 16,
            "cache_dir": str(tmp_path_factory.mktemp("tokens")),
        },
        training={"batch_size": 4, "learning_rate": 1e-2, "padding": "max"},
        freeze={"depth": 2},
    )
    splits, _ = load_splits(spec.config.data, tiny_tokenizer)
    spec = replace(spec, labels=splits.labels)
    model = build_fine_tuner(spec, Pretrained(), without_strategy(compiles=True))
    model.start_run(spec.config.training, 10)
    return real_step(model, first_batch(splits, spec.config))


@pytest.fixture
def packed(step, tmp_path, monkeypatch):
    """A package of the same step twice, of which seven values of each array are compared."""
    program = Program(b"module", "digest")
    monkeypatch.setattr(step_package, "portable_program", lambda module, compiler, **_: program)
    package = StepPackage(tmp_path / "package", compiler=None, compared=7)
    package.add(WHAT, step)
    package.add(replace(WHAT, name="again"), step)
    package.finish(["again", "step"], {"tiny": "its own"}, minutes=8)
    return package


def test_each_output_that_is_updated_takes_the_place_of_an_argument_of_its_shape(step):
    assert len(step.replaced) == len(step.updated) == len(set(step.replaced))
    for place, value in zip(step.replaced, step.updated, strict=True):
        assert step.inputs[place].shape == value.shape
        assert step.inputs[place].dtype == value.dtype


def test_what_tensorflow_computes_is_expected_and_differs_from_what_goes_in(step):
    assert step.results == tuple(sorted(step.expected))
    assert np.isfinite(step.expected["loss"]) and step.expected["gradient_norm"] > 0
    changed = [
        (step.inputs[place] != value).any()
        for place, value in zip(step.replaced, step.updated, strict=True)
    ]
    assert sum(changed) > len(changed) / 2


def test_what_is_updated_is_known_as_weights_or_as_a_kind_of_slot(step):
    counts = {group: step.groups.count(group) for group in set(step.groups)}

    assert counts["weights"] == counts["m"] == counts["v"]
    assert counts["iteration"] == 1
    assert set(counts) == {"weights", "m", "v", "iteration", "counters"}
    # AdamW's second moments are the squares of what its first are of.
    second = [value for value, group in zip(step.updated, step.groups, strict=True) if group == "v"]
    assert all((value >= 0).all() for value in second)


def test_the_arrays_of_a_package_are_those_of_the_step_and_kept_once(packed, step):
    files = sorted(packed.folder.glob("arrays/*"))
    meta = json.loads((packed.folder / "steps" / "again.json").read_text())
    store = ArrayStore(packed.folder / "arrays")

    assert any("value" in entry for entry in meta["inputs"])
    assert len(files) == len({entry["stored"] for entry in meta["inputs"] if "stored" in entry})
    for entry, value in zip(meta["inputs"], step.inputs, strict=True):
        np.testing.assert_array_equal(store.get(entry), value, strict=True)


def test_what_tensorflow_computed_is_in_the_package_and_agrees_with_itself(packed, step):
    folder = packed.folder / "steps"
    meta = json.loads((folder / "step.json").read_text())
    with np.load(folder / "step.npz") as expected:
        values = [expected[f"output_{number}"] for number in range(len(step.updated))]

    found = differences(step.expected, step.updated, meta["expected"], values)

    assert max(found.values()) == 0.0
    assert max(value.size for value in values) == 7
    assert lzma.decompress((folder / "step.stablehlo.xz").read_bytes()) == b"module"


def test_a_package_holds_its_own_program_in_the_order_of_the_steps(packed):
    content = json.loads((packed.folder / "package.json").read_text())

    assert (content["steps"], content["minutes"]) == (["again", "step"], 8)
    assert (packed.folder / "run.py").is_file()
    assert (packed.folder / "tf_finetune" / "preflight" / "device" / "run.py").is_file()
    assert packed.bytes > 10_000
