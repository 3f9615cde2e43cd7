"""Two processes end in the weights of one (`test_pieces.py`: and so do two devices)."""

import json
import os
import re
import signal
import subprocess
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from safetensors.numpy import load_file

from tests.untraced import untraced
from tf_finetune.errors import UserError
from tf_finetune.machine.cluster import Cluster
from tf_finetune.training.fine_tuning import Outputs
from tf_finetune.training.multi_worker import LostWorkerError, says_who_is_lost
from tf_finetune.training.strategy import ChosenStrategy
from tools.loopback.processes import loopback_configurations
from trainers import train
from trainers.cli import run_command

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[2]
TWO = Cluster({"worker": ("a:1", "b:2")}, "worker", 0)
MEASURED = ("seconds", "examples_per_second")


@pytest.fixture(scope="module")
def job(tiny_job, make_encoder, tmp_path_factory):
    """Arguments of a run of 14 steps with dropout; the last batch of an epoch is smaller."""
    encoder = make_encoder(tmp_path_factory.mktemp("encoder"), sizes={"num_hidden_layers": 2})
    return [
        *(word for word in tiny_job if not word.startswith("encoder.name=")),
        f"encoder.name={encoder}",
        *("data.max_length=32", "data.validation_fraction=0.2", "data.test_fraction=0"),
        *("freeze.depth=1", "training.epochs=2", "training.batch_size=7"),
        *("training.learning_rate=5e-4", "evaluation.batch_size=5"),
        *("evaluation.bootstrap_resamples=100", "evaluation.baselines=false"),
        "evaluation.explained_mistakes=0",
    ]


@pytest.fixture(scope="module")
def in_a_process(forked_python):
    """The command line of a process that trains; its first argument is when it dies."""
    return [forked_python, "-m", "tests.training.worker_program"]


@pytest.fixture(scope="module")
def two_processes(in_a_process, job, tmp_path_factory):
    """Run folder of a run with kept states and three steps in a call, and what was said."""
    folder = tmp_path_factory.mktemp("two_processes")
    options = ("cache.mode=memory", "training.steps_per_execution=3", f"run.dir={folder}/{{rank}}")
    done = subprocess.run(
        [ROOT / "tools" / "local_workers", "2", "--", *in_a_process, "0", *job, *options],
        cwd=ROOT,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout[-4000:]
    return folder / "0", done.stdout


@pytest.fixture(scope="module")
def one_process(job, tmp_path_factory):
    """The run on one device, not traced."""
    folder = tmp_path_factory.mktemp("one_process") / "run"
    options = ("training.strategy=cpu", "cache.mode=off", f"run.dir={folder}")
    with untraced():
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


@pytest.fixture(scope="module")
def assert_as_in(one_process):
    """Holds a run against that on one device."""
    expected = left_by(one_process)

    def compare(run):
        found = left_by(run)
        assert found.keys() == expected.keys()
        for key, value in expected.items():
            # A hundredth of what such a run changes a weight by.
            np.testing.assert_allclose(found[key], value, atol=5e-5, rtol=0, err_msg=key)

    return compare


def test_same_seed_ends_in_the_same_weights_and_scores(two_processes, assert_as_in):
    assert_as_in(two_processes[0])


def test_only_the_chief_writes_and_tells(two_processes):
    run, said = two_processes

    assert list(run.parent.iterdir()) == [run]
    assert "[0] epoch 2/2" in said
    assert "[1] epoch" not in said
    assert "[1] devices: process 1 (worker 1) of 2, as TF_CONFIG says" in said


def test_each_process_keeps_the_states_of_its_own_texts(two_processes):
    _, said = two_processes

    assert "[0] prefix cache: 24 train texts" in said
    assert "[0] prefix cache: 6 validation texts" in said


def train_in_two(program, arguments):
    """Exit code and output of each process."""
    processes = [
        subprocess.Popen(
            [*program, *arguments],
            cwd=ROOT,
            env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "TF_CONFIG": configuration},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for configuration in loopback_configurations(2)
    ]
    try:
        said = [process.communicate(timeout=200)[0] for process in processes]
    finally:
        for process in processes:
            process.kill()
    return [process.returncode for process in processes], said


def test_killed_chief_is_named_and_the_run_goes_on_to_the_same_weights(
    in_a_process, assert_as_in, job, tmp_path
):
    run = tmp_path / "run"
    arguments = [*job, "cache.mode=off", f"run.dir={run}", "training.checkpoint_seconds=0"]

    # An epoch is 7 steps and 3 of scoring, so this is the fifth step of the second epoch.
    codes, said = train_in_two([*in_a_process, str(7 + 3 + 5)], arguments)

    assert codes == [-signal.SIGKILL, 2], said
    assert re.search(r"worker 0 \(127.0.0.1:\d+\) has ended or cannot be reached", said[1])
    assert max(path.name for path in (run / "checkpoints").iterdir()) == "step-000000011"
    codes, said = train_in_two([*in_a_process, "0"], arguments)
    assert codes == [0, 0], said
    assert_as_in(run)


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
