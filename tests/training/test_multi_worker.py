"""Two processes end in the weights of one (`test_pieces.py`: and so do two devices)."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from safetensors.numpy import load_file

from tf_finetune.errors import UserError
from tf_finetune.machine.cluster import Cluster
from tf_finetune.training.fine_tuning import Outputs
from tf_finetune.training.multi_worker import LostWorkerError, says_who_is_lost
from tf_finetune.training.strategy import ChosenStrategy
from trainers import train
from trainers.cli import run_command

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[2]
TWO = Cluster({"worker": ("a:1", "b:2")}, "worker", 0)
MEASURED = ("seconds", "examples_per_second")


@pytest.fixture(scope="module")
def job(tiny_job):
    """Arguments of a run of 14 steps with dropout; the last batch of an epoch is smaller."""
    return [
        *tiny_job,
        *("data.max_length=32", "data.validation_fraction=0.2", "data.test_fraction=0"),
        *("freeze.depth=2", "training.epochs=2", "training.batch_size=7"),
        *("training.learning_rate=5e-4", "evaluation.batch_size=5"),
        *("evaluation.bootstrap_resamples=100", "evaluation.baselines=false"),
        "evaluation.explained_mistakes=0",
    ]


@pytest.fixture(scope="module")
def two_processes(job, tmp_path_factory):
    """The folder of all that two processes did, see `worker_program`; the chief is 0."""
    folder = tmp_path_factory.mktemp("two_processes")
    done = subprocess.run(
        [sys.executable, "-m", "tests.training.worker_program", str(folder), *job],
        cwd=ROOT,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        timeout=400,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    assert codes(folder)["twice"] == [0, 0], said(folder, "twice", 0) + said(folder, "twice", 1)
    return folder


def codes(folder):
    return json.loads((folder / "codes.json").read_text())


def said(folder, stage, rank):
    return (folder / f"{stage}-{rank}.log").read_text()


@pytest.fixture(scope="module")
def one_process(job, tmp_path_factory):
    """The run on one device."""
    folder = tmp_path_factory.mktemp("one_process") / "run"
    options = ("training.strategy=cpu", "cache.mode=off", f"run.dir={folder}")
    assert run_command(train.main, [*job, *options]) == 0
    return folder


def left_by(run):
    """Weights that rounding moves little, and all that was measured but for times."""
    weights = load_file(run / "model" / "model.safetensors")
    kept = {name: value for name, value in weights.items() if "key.bias" not in name}
    history = json.loads((run / "history.json").read_text())["epochs"]
    numbers = [[v for k, v in epoch.items() if k not in MEASURED] for epoch in history]
    metrics = json.loads((run / "metrics.json").read_text())
    values = [m["value"] for split in metrics.values() for m in split.values()]
    return kept | {"history": np.array(numbers), "metrics": np.array(values)}


@pytest.mark.parametrize("name", ["plain0", "kept0"])
def test_same_seed_ends_in_the_same_weights_and_scores(two_processes, one_process, name):
    expected = left_by(one_process)

    found = left_by(two_processes / name)

    assert found.keys() == expected.keys()
    for key, value in expected.items():
        # A hundredth of what such a run changes a weight by.
        np.testing.assert_allclose(found[key], value, atol=5e-5, rtol=0, err_msg=key)


def test_only_the_chief_writes_and_tells(two_processes):
    folders = sorted(path.name for path in two_processes.iterdir() if path.is_dir())

    assert folders == ["kept0", "killed", "plain0"]
    assert "epoch 2/2" in said(two_processes, "twice", 0)
    other = said(two_processes, "twice", 1)
    assert "epoch" not in other
    assert "devices: process 1 (worker 1) of 2, as TF_CONFIG says" in other


def test_each_process_keeps_the_states_of_its_own_texts(two_processes):
    chief = said(two_processes, "twice", 0)

    assert "prefix cache: 24 train texts" in chief
    assert "prefix cache: 6 validation texts" in chief


def test_killed_chief_is_named_and_the_run_goes_on_to_the_same_weights(two_processes):
    other = said(two_processes, "killed", 1)
    chief = said(two_processes, "going-on", 0)

    assert codes(two_processes)["killed"] == [-signal.SIGKILL, 2], other
    assert re.search(r"worker 0 \(127.0.0.1:\d+\) has ended or cannot be reached", other)
    assert codes(two_processes)["going-on"] == [0, 0], chief
    assert re.search("step 11\\b", chief)
    found, expected = (left_by(two_processes / run) for run in ("killed", "plain0"))
    assert found.keys() == expected.keys()
    for key, value in expected.items():
        np.testing.assert_allclose(found[key], value, atol=5e-5, rtol=0, err_msg=key)


@pytest.mark.parametrize(
    ("message", "who"),
    [
        (
            "Collective ops is aborted by: RecvBuf of /job:worker/replica:0/task:0 from "
            "/job:worker/replica:0/task:1",
            r"worker 1 \(b:2\) has ended or cannot be reached",
        ),
        ("heartbeat of /job:worker/replica:0/task:0 is late", "another process has ended"),
        ("Socket closed", "another process has ended"),
    ],
)
def test_lost_process_is_named_where_tensorflow_names_it(message, who):
    with pytest.raises(LostWorkerError, match=who) as caught, says_who_is_lost(TWO):
        raise tf.errors.UnavailableError(None, None, message)
    assert "goes on from its last checkpoint" in caught.value.hint


def test_processes_that_find_different_checkpoints_do_not_train(
    model, run, training, tmp_path, monkeypatch
):
    monkeypatch.setattr(ChosenStrategy, "by_process", lambda self, step: [step, 5])

    with pytest.raises(UserError, match=r"run.dir: .* checkpoints of the steps \[0, 5\]") as caught:
        run(model, training(), outputs=Outputs(checkpoints=tmp_path))
    assert "share" in caught.value.hint
