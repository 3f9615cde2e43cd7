"""A step with NaN or infinity changes nothing, is told, and does what the option says."""

import json
from io import StringIO

import numpy as np
import pytest
import tensorflow as tf
from rich.console import Console

from tf_finetune.training.bad_numbers import NonFiniteError
from tf_finetune.training.fine_tuning import Outputs
from tf_finetune.training.pipeline import BatchShape, step_examples

BAD = 2  # of the five steps of the first epoch, counted from 0


@pytest.fixture
def told():
    return Console(file=StringIO(), width=1000)


def without_effect(model, step):
    """The model's step, but all that this one changes is put back."""
    real, count = model._next_train_step, iter(range(100))
    changed = [
        *model.classifier.trainable_weights,
        *model.optimizer_state.variables,
        *model.step.mean_loss.variables,
    ]

    def train_step(*arguments):
        before = [v.numpy() for v in changed] if next(count) == step else None
        logs = real(*arguments)
        if before is not None:
            for variable, value in zip(changed, before, strict=True):
                variable.assign(value)
            logs["loss"] = model.step.mean_loss.result()
        return logs

    return train_step


def test_skipped_step_is_as_if_its_batch_had_no_effect(
    model, run, training, state, assert_equal, poison, told, monkeypatch
):
    config = training(on_nonfinite="skip")
    monkeypatch.setitem(model.__dict__, "_next_train_step", without_effect(model, BAD))
    expected = state(model, run(model, config))
    monkeypatch.undo()
    poison(BAD)

    result = run(model, config, console=told)

    assert [entry.pop("dropped_steps", 0) for entry in result.history] == [1, 0]
    assert_equal(state(model, result), expected)
    assert "epoch 1 (step 3; gradient norm nan; learning rate 0.0" in told.file.getvalue()
    assert "nan" in told.file.getvalue() and "the step is skipped\n" in told.file.getvalue()
    assert int(model.optimizer_state.iterations) == 9


@pytest.fixture
def frozen_table(model):
    """The word embeddings of `model`, which no reset puts back, as they were afterwards."""
    table = model.classifier.by_path["bert/embeddings/word_embeddings/weight"]
    before = table.numpy()
    yield table
    table.assign(before)


def test_frozen_row_that_is_no_number_spoils_the_batches_that_read_it(
    model, run, training, splits, frozen_table
):
    train, validation = (
        split.gather(np.arange(len(split))).token_ids for split in (splits.train, splits.validation)
    )
    # A word piece of a few training texts, and of no validation text.
    counts = np.bincount(train.ravel()) * ~np.isin(np.arange(train.max() + 1), validation)
    token = next(token for token in np.argsort(counts) if counts[token])
    frozen_table.assign(
        np.where(np.arange(frozen_table.shape[0])[:, None] == token, np.nan, frozen_table)
    )

    result = run(model, training(on_nonfinite="skip"))

    holds = (train == token).any(axis=1)
    spoilt = [holds[step_examples(splits.train, BatchShape(8), 1, s)].any() for s in range(10)]
    dropped = [entry.get("dropped_steps", 0) for entry in result.history]
    assert dropped == [sum(spoilt[:5]), sum(spoilt[5:])]
    assert 0 < sum(spoilt) < 10


def test_stop_names_the_rows_and_saves_what_was_before(
    model, run, training, splits, state, assert_equal, poison, told, tmp_path
):
    poison(BAD)
    outputs = Outputs(checkpoints=tmp_path)

    with pytest.raises(NonFiniteError, match=r"became nan in epoch 1 \(step 3; ") as caught:
        run(model, training(), outputs=outputs)

    rows = splits.train.source_rows[step_examples(splits.train, BatchShape(8), 1, BAD)]
    listed = ", ".join(str(row) for row in rows)
    assert f", rows {listed})" in str(caught.value)
    assert caught.value.exit_code == 1
    assert [folder.name for folder in tmp_path.iterdir()] == ["step-000000002"]

    # The hint: go on without the batch. It ends as a run that skipped it from the start.
    assert "training.on_nonfinite=skip" in caught.value.hint
    skip = training(on_nonfinite="skip")
    went_on = state(model, run(model, skip, outputs=outputs, console=told))
    assert "going on from step 2 of 10" in told.file.getvalue()
    assert_equal(went_on, state(model, run(model, skip)))


@pytest.mark.parametrize("step", [BAD + 1, 5, 7])
def test_halved_rate_survives_an_interruption(
    model, run, training, state, assert_equal, poison, tmp_path, interrupt_at, step
):
    config = training(on_nonfinite="halve_lr")
    poison(BAD, 5)
    expected = state(model, run(model, config))
    peak = float(model.optimizer_state.schedule._peak)
    outputs = interrupt_at(step, tmp_path)
    with pytest.raises(KeyboardInterrupt):
        run(model, config, outputs=outputs)

    result = run(model, config, outputs=outputs)

    assert peak == float(model.optimizer_state.schedule._peak) == np.float32(3e-3) / 4
    assert [entry["dropped_steps"] for entry in result.history] == [1, 1]
    assert_equal(state(model, result), expected)


def test_halved_rate_trains_at_half_the_rate(model, run, training, poison, told):
    poison(BAD)

    run(model, training(on_nonfinite="halve_lr", warmup_fraction=0.0), console=told)

    # Linear from 3e-3: two of ten steps were done, and eight before the last.
    assert "learning rate 0.0024; " in told.file.getvalue()
    assert "the learning rate halved to 0.0012\n" in told.file.getvalue()
    assert float(model.optimizer_state.optimizer.learning_rate) == pytest.approx(3e-3 / 2 * 0.2)


def test_epoch_without_a_good_step_ends_the_run(model, run, training, poison, told):
    poison(*range(1, 6))

    with pytest.raises(NonFiniteError, match=r"epoch 2 \(step 1; .*: 5 bad steps in a row"):
        run(model, training(on_nonfinite="skip"), console=told)

    assert told.file.getvalue().count("the step is skipped") == 4


def test_weight_that_is_no_number_is_named_and_not_saved(model, run, training, tmp_path):
    weight = model.classifier.by_path["classifier/kernel"]

    with pytest.raises(
        NonFiniteError, match=r"classifier/kernel \(1 variable\(s\) in all\) is not"
    ):
        run(
            model,
            training(),
            outputs=Outputs(checkpoints=tmp_path),
            prepare=lambda: weight.assign(weight * np.inf),
        )

    assert list(tmp_path.iterdir()) == []


def test_overflow_that_the_loss_scale_handles_is_no_bad_number(build, splits, training):
    model = build(splits, training(precision="mixed_float16"), depth=3)
    state = model.optimizer_state
    scale, _ = state.loss_scale
    finite, overflow = tf.constant(1.0), tf.constant(np.inf)

    assert bool(state.is_good(finite, overflow))
    assert not bool(state.is_good(overflow, finite))
    scale.assign(1.0)
    assert not bool(state.is_good(finite, overflow))
    assert bool(state.is_good(finite, finite))


def test_state_is_json(model, run, training, poison, tmp_path):
    poison(BAD)
    run(model, training(on_nonfinite="halve_lr"), outputs=Outputs(checkpoints=tmp_path))

    (_, last) = sorted(tmp_path.iterdir())
    kept = json.loads((last / "state.json").read_text())["state"]["bad_numbers"]
    assert kept == {"in_a_row": 0, "in_epoch": 0, "halvings": 1}
