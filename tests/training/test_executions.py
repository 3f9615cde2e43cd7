"""Several steps in one call end in what they end in one by one, bit for bit."""

import os
import signal
from io import StringIO

import numpy as np
import pytest
import tensorflow as tf
from rich.console import Console

from tf_finetune.machine.interruption import Interrupted
from tf_finetune.training.bad_numbers import NonFiniteError
from tf_finetune.training.callbacks import SpeedMeter
from tf_finetune.training.executions import logs_of_steps, run_steps
from tf_finetune.training.fine_tuning import Outputs

pytestmark = pytest.mark.numeric

BAD = 2  # of the five steps of an epoch, counted from 0


@pytest.fixture(scope="module")
def one_by_one(model, run, training, state):
    return state(model, run(model, training()))


@pytest.fixture
def calls(model, monkeypatch):
    """The most steps that each call of TensorFlow was told to do."""
    real, most_of_each = model._next_execution, []

    def counted(iterator, asked, most):
        most_of_each.append(int(most))
        return real(iterator, asked, most)

    monkeypatch.setitem(model.__dict__, "_next_execution", counted)
    return most_of_each


@pytest.mark.parametrize(("steps", "expected"), [(2, [2, 2, 1] * 2), (5, [5] * 2), (64, [5] * 2)])
def test_result_is_that_of_steps_one_by_one(
    model, run, training, state, assert_equal, one_by_one, calls, steps, expected
):
    result = run(model, training(steps_per_execution=steps))

    assert_equal(state(model, result), one_by_one)
    assert calls == expected


@pytest.mark.parametrize("action", ["skip", "halve_lr"])
def test_bad_step_ends_its_call_so_that_the_next_step_knows(
    model, run, training, state, assert_equal, poison, calls, action
):
    poison(BAD)
    expected = state(model, run(model, training(on_nonfinite=action)))

    result = run(model, training(on_nonfinite=action, steps_per_execution=4))

    assert_equal(state(model, result), expected)
    assert calls == [4, 2, 4, 1]  # the first came to its end after three


def test_bad_step_that_ends_the_run_leaves_the_step_before_it(
    model, run, training, state, assert_equal, one_by_one, poison, tmp_path, monkeypatch
):
    poison(BAD)
    with pytest.raises(NonFiniteError, match=r"became nan in epoch 1 \(step 3; "):
        run(model, training(steps_per_execution=5), outputs=Outputs(checkpoints=tmp_path))
    monkeypatch.undo()

    assert [folder.name for folder in tmp_path.iterdir()] == ["step-000000002"]
    result = run(model, training(), outputs=Outputs(checkpoints=tmp_path))
    assert_equal(state(model, result), one_by_one)


def test_checkpoints_hold_the_weights_after_a_call(
    model, run, training, state, assert_equal, one_by_one, tmp_path, monkeypatch
):
    """Every save, with one after each step asked for, is one that a run can go on from."""
    saved = []

    def stop(self, state, best):
        saved.append(state["step"])
        real(self, state, best)
        if state["step"] == 7:
            raise KeyboardInterrupt

    from tf_finetune.training.checkpoints import RunCheckpoints

    real = RunCheckpoints.save
    monkeypatch.setattr(RunCheckpoints, "save", stop)
    config = training(checkpoint_seconds=0, steps_per_execution=2)
    with pytest.raises(KeyboardInterrupt):
        run(model, config, outputs=Outputs(checkpoints=tmp_path))
    assert saved == [2, 4, 5, 7]
    monkeypatch.undo()

    result = run(model, training(steps_per_execution=3), outputs=Outputs(tmp_path, tmp_path))

    assert_equal(state(model, result), one_by_one)


def test_signal_stops_after_the_call(model, run, training, tmp_path, monkeypatch):
    def on_train_batch_end(self, batch, logs=None):
        if batch == 0:
            os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(SpeedMeter, "on_train_batch_end", on_train_batch_end)
    told = Console(file=StringIO(), width=200)

    with pytest.raises(Interrupted, match="SIGTERM"):
        run(
            model,
            training(steps_per_execution=3),
            outputs=Outputs(checkpoints=tmp_path),
            console=told,
        )

    assert "interrupted; step 3 of 10 is saved" in told.file.getvalue()


def test_logs_are_those_of_each_step_up_to_the_dropped_one():
    step = tf.Variable(0.0)

    @tf.function
    def several(most):
        def one(is_last):
            step.assign_add(1.0)
            return {
                "loss": step / 2,
                "step_loss": tf.identity(step),
                "gradient_norm": step * 3,
                "dropped": tf.equal(step, 3.0),
                "asked_to_stop": tf.cast(is_last, tf.float32),
            }

        return run_steps(one, most)

    logs = list(logs_of_steps(several(tf.constant(8))))

    assert [log["step_loss"] for log in logs] == [1, 2, 3]
    assert [log["gradient_norm"] for log in logs] == [3, 6, 9]
    assert [bool(log["dropped"]) for log in logs] == [False, False, True]
    assert [log["asked_to_stop"] for log in logs] == [0, 0, 0]  # the eighth would have told it
    assert [log["updates_ahead"] for log in logs] == [1, 0, 0]
    np.testing.assert_array_equal(step, 3.0)


def test_speed_of_an_epoch_in_one_call_is_that_of_the_call(model, run, training):
    result = run(model, training(epochs=1, steps_per_execution=64))

    assert result.first_call_steps == 5
    assert result.throughput(batch_size=8) == result.history[0]["examples_per_second"]
