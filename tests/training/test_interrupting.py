"""A signal ends a run with its last step saved; the same run again ends as if undisturbed."""

import json
import os
import signal
from io import StringIO

import pytest
from rich.console import Console

from tf_finetune.machine.interruption import Interrupted
from tf_finetune.training.checkpoint_callback import SaveCheckpoints
from tf_finetune.training.fine_tuning import Outputs


@pytest.fixture(scope="module")
def expected(model, run, training, state):
    return state(model, run(model, training()))


def signal_after(monkeypatch, step):
    """SIGTERM comes twice after a step, once; five steps are an epoch."""
    armed = [step]

    def on_train_batch_end(self, batch, logs=None):
        self.step += 1
        if [self.step] == armed:
            armed.clear()
            os.kill(os.getpid(), signal.SIGTERM)
            os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(SaveCheckpoints, "on_train_batch_end", on_train_batch_end)


@pytest.mark.parametrize("step", [1, 5, 7, 10], ids=["first", "unscored", "inside", "last"])
def test_interrupted_run_goes_on_from_its_very_last_step(
    model, second_model, run, training, state, assert_equal, expected, tmp_path, monkeypatch, step
):
    signal_after(monkeypatch, step)
    first, again = (Console(file=StringIO(), width=200) for _ in range(2))
    with pytest.raises(Interrupted, match="SIGTERM"):
        run(model, training(), outputs=Outputs(checkpoints=tmp_path), console=first)

    result = run(second_model, training(), outputs=Outputs(checkpoints=tmp_path), console=again)

    assert f"interrupted; step {step} of 10 is saved" in first.file.getvalue()
    assert f"going on from step {step} of 10" in again.file.getvalue()
    assert_equal(state(second_model, result), expected)


def test_speed_of_an_epoch_counts_what_was_measured_before_the_interruption(
    model, run, training, tmp_path, monkeypatch
):
    signal_after(monkeypatch, 5)  # before the scores: no step of the epoch is left
    with pytest.raises(Interrupted):
        run(model, training(epochs=1), outputs=Outputs(checkpoints=tmp_path))
    (state,) = tmp_path.glob("*/state.json")
    seconds = json.loads(state.read_text())["state"]["epoch_seconds"]

    result = run(model, training(epochs=1), outputs=Outputs(checkpoints=tmp_path))

    (epoch,) = result.history
    assert epoch["seconds"] > seconds > 0
    assert epoch["examples_per_second"] == pytest.approx(5 * 8 / epoch["seconds"])


def test_signal_while_scoring_loses_no_step(
    model, second_model, run, training, state, assert_equal, expected, tmp_path, monkeypatch
):
    predict, armed = type(model).predict, [True]

    def interrupted(self, batches, steps):
        if armed:
            armed.clear()
            os.kill(os.getpid(), signal.SIGINT)
        return predict(self, batches, steps)

    monkeypatch.setattr(type(model), "predict", interrupted)
    console = Console(file=StringIO(), width=200)
    with pytest.raises(Interrupted, match="SIGINT"):
        run(model, training(), outputs=Outputs(checkpoints=tmp_path))

    result = run(second_model, training(), outputs=Outputs(checkpoints=tmp_path), console=console)

    assert "going on from step 5 of 10" in console.file.getvalue()
    assert_equal(state(second_model, result), expected)


def test_signal_while_stopping_early_is_watched_keeps_the_best_epoch(
    model, second_model, run, training, state, assert_equal, tmp_path, monkeypatch
):
    config = training(early_stopping_patience=1)
    undisturbed = state(model, run(model, config))
    signal_after(monkeypatch, 10)
    with pytest.raises(Interrupted):
        run(model, config, outputs=Outputs(checkpoints=tmp_path))

    result = run(second_model, config, outputs=Outputs(checkpoints=tmp_path))

    assert_equal(state(second_model, result), undisturbed)
