"""A run that was killed goes on and ends as if nothing had happened, bit for bit."""

import json
import re
from dataclasses import replace
from io import StringIO

import pytest
import tensorflow as tf
from rich.console import Console

from tf_finetune.errors import DiskFullError, UserError
from tf_finetune.training.fine_tuning import Outputs

# Five steps an epoch: inside the first epoch, at its end, inside the second.
PLACES = (3, 5, 8)


@pytest.fixture(scope="module")
def expected(model, run, training, state):
    return state(model, run(model, training()))


def spoil(model):
    """Weights as no run has them, which a resumed run must not see."""
    for variable in model.classifier.trainable_weights:
        variable.assign(variable * 0.5)


@pytest.mark.parametrize("step", PLACES)
def test_resumed_run_equals_an_undisturbed_one(
    model, second_model, run, training, state, assert_equal, expected, tmp_path, interrupt_at, step
):
    outputs = interrupt_at(step, tmp_path)
    with pytest.raises(KeyboardInterrupt):
        run(model, training(), outputs=outputs)
    console = Console(file=StringIO(), width=200)

    # Another model, as in another process.
    result = run(
        second_model,
        training(),
        outputs=outputs,
        console=console,
        prepare=lambda: spoil(second_model),
    )

    assert_equal(state(second_model, result), expected)
    said = console.file.getvalue()
    assert f"going on from step {step} of 10" in said
    assert said.count("epoch 2/2  loss ") == 1
    assert result.steps == 10


def test_interrupted_twice(
    model, run, training, state, assert_equal, expected, tmp_path, interrupt_at
):
    for step in (2, 7):
        outputs = interrupt_at(step, tmp_path)
        with pytest.raises(KeyboardInterrupt):
            run(model, training(), outputs=outputs)

    result = run(model, training(), outputs=outputs)

    assert_equal(state(model, result), expected)


@pytest.mark.parametrize("step", [3, 13])
def test_early_stopping_goes_on_where_it_was(
    model,
    second_model,
    run,
    training,
    state,
    assert_equal,
    tmp_path,
    interrupt_at,
    step,
    monkeypatch,
):
    """Best epoch is the second, in step 10; the run stops after the fourth, in step 20."""
    config = training(epochs=6, early_stopping_patience=2)
    by_epoch = {5: 0.6, 10: 0.9, 15: 0.7, 20: 0.8}

    def scripted(model):
        def score(*_):
            return {"accuracy": by_epoch[int(model.optimizer_state.iterations)]}

        monkeypatch.setattr("tf_finetune.tasks.classes.Classes.score", score)

    scripted(model)
    whole = run(model, config)
    expected = state(model, whole)
    assert (len(whole.history), whole.best_epoch) == (4, 2)

    outputs = interrupt_at(step, tmp_path)
    with pytest.raises(KeyboardInterrupt):
        run(model, config, outputs=outputs)
    scripted(second_model)
    result = run(second_model, config, outputs=outputs, prepare=lambda: spoil(second_model))

    assert_equal(state(second_model, result), expected)
    assert (result.best_epoch, result.steps) == (2, 20)


def test_run_that_had_stopped_early_does_not_train_on(
    model, run, training, state, assert_equal, tmp_path, monkeypatch
):
    config = training(epochs=6, early_stopping_patience=1)
    monkeypatch.setattr("tf_finetune.tasks.classes.Classes.score", lambda *_: {"accuracy": 0.5})
    outputs = Outputs(checkpoints=tmp_path)
    first = run(model, config, outputs=outputs)
    expected = state(model, first)

    again = run(model, config, outputs=outputs)

    assert_equal(state(model, again), expected)
    assert (first.steps, again.steps, again.first_step_at) == (10, 10, None)


def test_finished_run_is_restored_without_a_step(
    model, second_model, run, training, state, assert_equal, expected, tmp_path
):
    outputs = Outputs(checkpoints=tmp_path)
    run(model, training(), outputs=outputs)

    result = run(second_model, training(), outputs=outputs)

    assert_equal(state(second_model, result), expected)
    assert result.first_step_at is None


def test_damaged_checkpoint_is_named_and_the_one_before_is_used(
    model, run, training, state, assert_equal, expected, tmp_path, interrupt_at
):
    outputs = interrupt_at(8, tmp_path)
    with pytest.raises(KeyboardInterrupt):
        run(model, training(), outputs=outputs)
    (data,) = (tmp_path / "step-000000008").glob("variables.data*")
    content = bytearray(data.read_bytes())
    content[len(content) // 2] ^= 1
    data.write_bytes(content)
    console = Console(file=StringIO(), width=300)

    result = run(model, training(), outputs=outputs, console=console)

    assert_equal(state(model, result), expected)
    assert f"step-000000008/{data.name}: damaged: using the checkpoint before it" in (
        console.file.getvalue()
    )
    assert "going on from step 7 of 10" in console.file.getvalue()


def test_checkpoints_that_follow_damaged_ones_are_kept(
    model, run, training, state, assert_equal, expected, tmp_path, interrupt_at
):
    outputs = interrupt_at(8, tmp_path)
    with pytest.raises(KeyboardInterrupt):
        run(model, training(), outputs=outputs)
    for folder in tmp_path.iterdir():
        (folder / "state.json").write_text("damaged")
    (tmp_path / ".step-000000009.writing-1").mkdir()
    outputs = interrupt_at(3, tmp_path)
    with pytest.raises(KeyboardInterrupt):
        run(model, training(), outputs=outputs)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["step-000000002", "step-000000003"]
    console = Console(file=StringIO(), width=300)

    result = run(model, training(), outputs=interrupt_at(99, tmp_path), console=console)

    assert_equal(state(model, result), expected)
    assert "going on from step 3 of 10" in console.file.getvalue()


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"identity": 1, "state": {}}', None])
def test_damaged_state_file_is_noticed(
    model, run, training, state, assert_equal, expected, tmp_path, interrupt_at, content
):
    outputs = interrupt_at(4, tmp_path)
    with pytest.raises(KeyboardInterrupt):
        run(model, training(), outputs=outputs)
    for folder in tmp_path.iterdir():
        (folder / "state.json").unlink()
        if content is not None:
            (folder / "state.json").write_text(content)
    console = Console(file=StringIO(), width=300)

    result = run(model, training(), outputs=outputs, console=console)

    assert_equal(state(model, result), expected)
    problem = "missing" if content is None else "damaged"
    assert console.file.getvalue().count(f"state.json: {problem}") == 2
    assert "going on" not in console.file.getvalue()


@pytest.mark.parametrize(
    "change", [{"learning_rate": 1e-4}, {"epochs": 3}, {"seed": 2}, {"batch_size": 6}]
)
def test_checkpoint_of_another_job_is_refused(model, run, training, tmp_path, interrupt_at, change):
    outputs = interrupt_at(2, tmp_path)
    with pytest.raises(KeyboardInterrupt):
        run(model, training(), outputs=outputs)

    with pytest.raises(UserError, match="step-000000002 belongs to another job") as caught:
        run(model, training(**change), outputs=outputs)
    assert "run.overwrite=true" in caught.value.hint


def test_checkpoint_of_other_data_is_refused(model, run, training, splits, tmp_path, interrupt_at):
    outputs = interrupt_at(2, tmp_path)
    with pytest.raises(KeyboardInterrupt):
        run(model, training(), outputs=outputs)
    fewer = replace(splits, train=splits.train.select(slice(0, 33)))

    with pytest.raises(UserError, match="belongs to another job"):
        run(model, training(), data=fewer, outputs=outputs)


def test_checkpoint_without_room_says_how_much_it_needs(
    model, run, training, tmp_path, monkeypatch
):
    def fail(*_, **__):
        raise tf.errors.ResourceExhaustedError(None, None, "variables.data; Disk quota exceeded")

    monkeypatch.setattr(tf.train.Checkpoint, "write", fail)
    with pytest.raises(DiskFullError, match="step-.*: the disk quota is used up") as caught:
        run(model, training(epochs=1), outputs=Outputs(checkpoints=tmp_path))

    needed = re.search(r"at least ([\d,]+) bytes needed", str(caught.value))[1].replace(",", "")
    state = 12 * model.classifier.plan.trainable_count  # weights and two moments
    assert state <= int(needed) < state + 100
    assert list(tmp_path.iterdir()) == []


def test_two_checkpoints_are_kept_without_anything_frozen(
    model, run, training, tmp_path, interrupt_at
):
    outputs = interrupt_at(6, tmp_path)
    with pytest.raises(KeyboardInterrupt):
        run(model, training(), outputs=outputs)

    assert sorted(p.name for p in tmp_path.iterdir()) == ["step-000000005", "step-000000006"]
    size = sum(p.stat().st_size for p in (tmp_path / "step-000000006").iterdir())
    plan = model.classifier.plan
    frozen = plan.total_count - plan.trainable_count
    # Weights and two moments of what trains, and names; far from the frozen part beside it.
    assert 12 * plan.trainable_count < size < 12 * plan.trainable_count + 3 * frozen
    state = json.loads((tmp_path / "step-000000006" / "state.json").read_text())["state"]
    assert (state["step"], len(state["history"])) == (6, 1)
