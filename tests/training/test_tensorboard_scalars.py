"""TensorBoard sees steps, epochs and how far each layer moved."""

from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from tf_finetune.errors import DiskFullError
from tf_finetune.training.fine_tuning import Outputs
from tf_finetune.training.tensorboard_scalars import TensorBoardScalars
from tf_finetune.training.weight_change import weight_changes


def scalars(folder):
    found = {}
    for path in folder.glob("events*"):
        for record in tf.compat.v1.train.summary_iterator(str(path)):
            for value in record.summary.value:
                found.setdefault(value.tag, {})[record.step] = float(tf.make_ndarray(value.tensor))
    return found


def test_events_of_a_run(model, run, training, tmp_path):
    result = run(model, training(epochs=3), outputs=Outputs(events=tmp_path))

    found = scalars(tmp_path)
    # 15 steps, of which the first and every tenth are written.
    assert list(found["step/loss"]) == [1, 10]
    assert set(found["step/gradient_norm"]) == set(found["step/learning_rate"]) == {1, 10}
    losses = [entry["loss"] for entry in result.history]
    assert found["epoch/loss"] == pytest.approx(dict(enumerate(losses, start=1)), rel=1e-6)
    assert set(found["validation/accuracy"]) == {1, 2, 3}
    moved = {tag for tag in found if tag.startswith("weight_change/")}
    assert moved == {
        f"weight_change/{place}" for place in ("layer_01", "layer_02", "pooler", "head")
    }


@pytest.mark.parametrize("steps", [1, 5])
def test_rate_is_that_of_the_step(model, run, training, tmp_path, steps):
    config = training(epochs=4, warmup_fraction=0.0, steps_per_execution=steps)
    run(model, config, outputs=Outputs(events=tmp_path))

    # Linear from 3e-3 at the first of twenty steps.
    expected = {1: 3e-3, 10: 3e-3 * 11 / 20, 20: 3e-3 / 20}
    assert scalars(tmp_path)["step/learning_rate"] == pytest.approx(expected, rel=1e-6)


def test_a_run_that_goes_on_writes_its_steps_after_the_first_ones(tmp_path):
    state = SimpleNamespace(iterations=tf.Variable(12), schedule=lambda update: 0.1 * update)
    model = SimpleNamespace(optimizer_state=state)
    writer = TensorBoardScalars(tmp_path, dict, every_steps=5, first_step=8)
    writer.set_model(model)
    for loss in (0.4, 0.3):
        logs = {"step_loss": loss, "gradient_norm": 1.0, "updates_ahead": 2}
        writer.on_train_batch_end(0, logs)

    found = scalars(tmp_path)
    assert found["step/loss"] == {10: pytest.approx(0.3)}
    assert found["step/learning_rate"] == {10: pytest.approx(0.9)}  # of update 9, the tenth


def test_full_disk_is_not_taken_for_a_full_memory(model, run, training, tmp_path, monkeypatch):
    def fail(*_, **__):
        raise tf.errors.ResourceExhaustedError(None, None, "events.v2; No space left on device")

    monkeypatch.setattr(tf.summary, "scalar", fail)

    with pytest.raises(DiskFullError, match="events: the disk is full: .* bytes free"):
        run(model, training(epochs=1), outputs=Outputs(events=tmp_path / "events"))


def test_weight_change_is_relative_to_what_was_before(model, training):
    model.classifier.reset(seed=1)
    measure = weight_changes(model.classifier, seed=1)
    assert set(measure().values()) == {0.0}

    for path, variable in model.classifier.by_path.items():
        if "layer_._1" in path:
            variable.assign(variable * 1.5)

    changed = measure()
    assert changed["layer_01"] == pytest.approx(0.5, rel=1e-6)
    assert changed["layer_02"] == 0.0
    assert np.isfinite(list(changed.values())).all()
