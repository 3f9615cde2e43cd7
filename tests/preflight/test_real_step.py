"""A step of real texts and weights is packed so that another machine can execute it."""

import json
from dataclasses import replace

import numpy as np
import pytest

from tf_finetune.data.loading import load_splits
from tf_finetune.models.weights import Pretrained
from tf_finetune.preflight import step_package
from tf_finetune.preflight.program import Program
from tf_finetune.preflight.step_package import StepOf, write_package

WHAT = StepOf("step", 2, 4, 16, "float32", cached=False, flops=1e9)


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


def test_arguments_of_one_value_take_no_room_and_the_others_are_stored(step, tmp_path, monkeypatch):
    program = Program(step.module, "digest")
    monkeypatch.setattr(step_package, "portable_program", lambda module, compiler: program)

    folder = write_package(tmp_path, WHAT, step, compiler=None)

    described = json.loads((folder / "step.json").read_text())["inputs"]
    stored = np.load(folder / "inputs.npz")
    assert len(described) == len(step.inputs)
    assert any("value" in entry for entry in described)
    for place, (entry, value) in enumerate(zip(described, step.inputs, strict=True)):
        found = (
            np.full(entry["shape"], entry["value"], entry["dtype"])
            if "value" in entry
            else stored[f"input_{place}"]
        )
        np.testing.assert_array_equal(found, value, strict=True)
