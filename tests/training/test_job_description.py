"""What a job says of itself, to people and to its other processes."""

import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from safetensors.numpy import load_file, save_file

from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.encoders.locating import EncoderFiles
from tf_finetune.methods.full import Full
from tf_finetune.plans.arithmetic import PlanCost
from tf_finetune.training import job_description
from tf_finetune.training.batch_shapes import training_shape
from tf_finetune.training.job_description import describe_job, job_digest

MAX_LENGTH = 32
COST = PlanCost(10, {}, 2**20, 2 * 2**20, 0, 10**9, 2 * 10**9, prefix_flops=0, state_bytes=0)


@pytest.fixture
def described(splits, two_replicas):
    """What is told of a job of the tiny task on two replicas."""

    def describe(config):
        shape = training_shape(config, MAX_LENGTH, two_replicas, Full())
        priced = [(config.epochs, COST)]
        return describe_job(config, Full(), splits, priced, shape, two_replicas)

    return describe


def test_the_work_of_phases_is_summed(splits, training, two_replicas):
    config = training(epochs=3)
    shape = training_shape(config, MAX_LENGTH, two_replicas, Full())
    larger = replace(COST, forward_flops=10**12, optimizer_bytes=3 * 2**20)

    lines = describe_job(config, Full(), splits, [(1, COST), (2, larger)], shape, two_replicas)

    assert lines[-2:] == [
        "memory: 4 MiB of gradients and optimiser state",
        # 5 steps of 3 GFLOPs and 10 of 1,002.
        "work: 3.0 to 1,002.0 GFLOPs a step, 10.0 TFLOPs in all (matrix products)",
    ]


def test_job_is_described_by_its_numbers(described, training):
    assert described(training(accumulation_steps=2))[1:] == [
        "steps: 5 an epoch (ceil of 36 examples / 8) x 2 epochs = 10, the first 1 warm up",
        "a step: batch of 8 = 2 replica(s) x 2 micro-batch(es) x 2",
        "memory: 3 MiB of gradients and optimiser state",
        "work: 3.0 GFLOPs a step, 0.0 TFLOPs in all (matrix products)",
    ]


def test_packed_step_is_described_by_its_rows(described, training, splits):
    shown = described(training(padding="packed"))[2]

    rows = int(re.fullmatch(r"a step: batch of 8 texts in 2 .* x 1 .* x (\d+) packed .*", shown)[1])
    assert rows < 8 // 2
    share = splits.train.lengths.sum() / (5 * 2 * rows * MAX_LENGTH)
    assert shown.endswith(f"x {rows} packed rows of 32 tokens, {share:.0%} of them real")


@pytest.fixture
def digest(splits, tiny_encoder_files):
    """The digest of the tiny job, or of one that differs from it."""

    def digest_of(path=tiny_encoder_files.path, **sections):
        config = ExperimentConfig.model_validate({"encoder": {"name": "tiny"}, **sections})
        return job_digest(config, EncoderFiles("tiny", Path(path)), splits)

    return digest_of


def test_processes_with_equal_jobs_have_one_digest(digest, tiny_encoder, tmp_path):
    elsewhere = shutil.copytree(tiny_encoder, tmp_path / "elsewhere")

    own = {"data": {"cache_dir": "/of/its/own"}, "run": {"dir": "/of/its/own"}}
    assert digest(elsewhere, **own, cache={"mode": "off"}, search={"seeds": [5]}) == digest()


def test_other_weights_of_an_encoder_of_the_same_name_are_another_job(
    digest, tiny_encoder, tmp_path
):
    elsewhere = shutil.copytree(tiny_encoder, tmp_path / "elsewhere")
    weights = load_file(elsewhere / "model.safetensors")
    first = min(weights)
    save_file(weights | {first: weights[first] + 1}, elsewhere / "model.safetensors")

    assert digest(elsewhere) != digest()


def test_another_version_or_option_is_another_job(digest, monkeypatch):
    expected = digest()

    for other in (
        {"training": {"batch_size": 7}},
        {"training": {"steps_per_execution": 4}},
        {"evaluation": {"batch_size": 7}},
        {"cache": {"dtype": "float16"}},
        {"data": {"folds": 5}},
    ):
        assert digest(**other) != expected
    monkeypatch.setattr(job_description, "installed_version", lambda _name: "0.0.9")
    assert digest() != expected
