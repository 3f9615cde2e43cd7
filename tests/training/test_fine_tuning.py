"""What a run changes, what it leaves alone, and what decides its result."""

from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf

from tf_finetune.errors import UserError
from tf_finetune.training import fine_tuner
from tf_finetune.training.bad_numbers import BadNumbers, NonFiniteError
from tf_finetune.training.option_checks import check_options
from tf_finetune.training.pipeline import BatchShape
from tf_finetune.training.split_logits import predict_logits
from tf_finetune.training.step import TrainingStep

pytestmark = pytest.mark.numeric

LAYER = "bert/encoder/layer_._"


@pytest.fixture(scope="module")
def finished(model, run, training, weights, state):
    """Weights before, result and state of one run with strong weight decay."""
    config = training(weight_decay=0.5)
    model.classifier.reset(config.seed)
    before = weights(model)
    result = run(model, config)
    return before, result, state(model, result)


def test_frozen_variables_do_not_change_by_a_bit(finished, model):
    before, _, after = finished

    frozen = set(before) - model.classifier.plan.trainable_paths
    assert len(frozen) == 5 + 16
    for path in frozen:
        np.testing.assert_array_equal(before[path], after[path], err_msg=path)


def test_every_trainable_variable_changes(finished, model):
    before, _, after = finished
    same = {
        path
        for path in model.classifier.plan.trainable_paths
        if np.array_equal(before[path], after[path])
    }

    # Softmax does not see what a key's bias adds to a whole row of scores: its gradient is zero
    # but for rounding, so it may stay.
    assert same <= {f"{LAYER}1/attention/self/key/bias", f"{LAYER}2/attention/self/key/bias"}


def test_depth_zero_changes_the_embeddings_too(build, run, splits, training, weights):
    config = training(epochs=1, weight_decay=0.5)
    model = build(splits, config, depth=0)
    before = weights(model)

    run(model, config)

    after = weights(model)
    same = {path for path, value in before.items() if np.array_equal(value, after[path])}
    assert same <= {f"{LAYER}{layer}/attention/self/key/bias" for layer in range(3)}
    # Word 4, [MASK], is in no text: only weight decay moves it, towards zero.
    words = "bert/embeddings/word_embeddings/weight"
    shrunk = after[words][4] / before[words][4]
    assert shrunk.min() > 0.98 and shrunk.max() < 1
    np.testing.assert_allclose(shrunk, shrunk.mean(), rtol=1e-5)


def test_result_says_what_was_done(finished):
    _, result, _ = finished

    assert (result.steps, result.best_epoch, len(result.history)) == (10, 2, 2)
    assert result.train_seconds > 0
    assert set(result.history[0]) == {
        *("loss", "seconds", "examples_per_second"),
        *("val_accuracy", "val_macro_f1", "val_micro_f1", "val_mcc", "val_loss"),
    }
    assert result.history[1]["loss"] < result.history[0]["loss"]


def test_model_of_another_process_ends_the_same_bit_for_bit(
    second_model, run, training, finished, state, assert_equal
):
    _, _, expected = finished

    result = run(second_model, training(weight_decay=0.5))

    assert_equal(state(second_model, result), expected)


def test_used_model_runs_again_as_a_fresh_one_without_being_traced(
    model, run, training, finished, state, assert_equal, monkeypatch
):
    _, _, expected = finished
    traced = []
    monkeypatch.setattr(TrainingStep, "__call__", lambda *_: traced.append("train"))
    monkeypatch.setattr(fine_tuner, "whole_logits", lambda *_: traced.append("predict"))

    run(model, training(learning_rate=1e-2, epochs=1, batch_size=4, seed=5, warmup_fraction=0.5))
    result = run(model, training(weight_decay=0.5))

    assert_equal(state(model, result), expected)
    assert traced == []


def test_logits_of_the_last_validation_are_those_of_the_kept_weights(model, splits, run, training):
    result = run(model, training(epochs=2))

    expected = predict_logits(model, splits.validation, BatchShape(8))
    np.testing.assert_allclose(result.validation_logits, expected, atol=1e-6)


def test_other_seed_ends_elsewhere(model, run, training, finished):
    _, _, expected = finished

    result = run(model, training(weight_decay=0.5, seed=2))

    path = f"{LAYER}2/output/dense/kernel"
    assert not np.array_equal(model.classifier.by_path[path], expected[path])
    assert result.history[0]["loss"] != expected["epoch 0"]["loss"]


def test_padding_does_not_change_the_result_but_for_rounding(
    build, run, splits, training, state, assert_equal, rounded
):
    # Without dropout: it is drawn by place, and the length of a batch moves the places.
    model = build(splits, training(), depth=2, dropout=0.0)
    results = [
        rounded(state(model, run(model, training(padding=padding, learning_rate=5e-4))))
        for padding in ("longest", "buckets", "max")
    ]

    assert_equal(results[1], results[0], atol=1e-5)
    assert_equal(results[2], results[0], atol=1e-5)


def test_patience_stops_and_restores_the_best_epoch(model, run, training, weights, monkeypatch):
    scores = iter([0.5, 0.9, 0.7, 0.9, 0.1])
    seen = []

    def scripted(*_):
        seen.append(weights(model))
        return {"accuracy": next(scores)}

    monkeypatch.setattr("tf_finetune.tasks.classes.Classes.score", scripted)

    result = run(model, training(epochs=5, early_stopping_patience=2, learning_rate=1e-3))

    # Epoch 4 equals the best but is not better.
    assert (len(result.history), result.best_epoch, result.steps) == (4, 2, 20)
    assert result.validation_logits is None  # those of epoch 2 are not kept
    for path, value in weights(model).items():
        np.testing.assert_array_equal(value, seen[1][path])
    assert not np.array_equal(seen[1]["classifier/kernel"], seen[3]["classifier/kernel"])


def test_lower_loss_is_better(model, run, training, monkeypatch):
    losses = iter([0.5, 0.3, 0.4])
    monkeypatch.setattr(
        "tf_finetune.tasks.classes.Classes.score", lambda *_: {"loss": next(losses)}
    )

    result = run(model, training(epochs=3, early_stopping_patience=1, monitor="loss"))

    assert result.best_epoch == 2


def test_first_epoch_is_kept_when_no_epoch_has_a_score(model, run, training, monkeypatch):
    monkeypatch.setattr(
        "tf_finetune.tasks.classes.Classes.score", lambda *_: {"accuracy": float("nan")}
    )

    result = run(model, training(epochs=5, early_stopping_patience=2))

    assert (len(result.history), result.best_epoch) == (3, 1)


def test_no_callback_makes_every_step_copy_its_logs_to_the_host(model, run, training, monkeypatch):
    given, real = [], BadNumbers.on_train_batch_end

    def on_train_batch_end(self, batch, logs=None):
        given.extend(value for name, value in logs.items() if name != "updates_ahead")
        real(self, batch, logs)

    monkeypatch.setattr(BadNumbers, "on_train_batch_end", on_train_batch_end)
    run(model, training(epochs=1))

    assert len(given) == 5 * 4 and all(tf.is_tensor(value) for value in given)


def test_exploding_loss_ends_with_what_to_try(model, run, training):
    weight = model.classifier.by_path["classifier/kernel"]
    config = training(learning_rate=10.0, warmup_fraction=0.0)

    with pytest.raises(
        NonFiniteError,
        match=r"became nan in epoch 1 \(step 1; gradient norm nan; learning rate 10; ",
    ) as caught:
        run(model, config, prepare=lambda: weight.assign(weight * float("nan")))

    assert "lower training.learning_rate" in caught.value.hint


def test_options_that_do_not_go_with_the_data_are_named_together(splits, training):
    config = training(monitor="pearson", class_weights={"good": 2.0}, early_stopping_patience=1)

    with pytest.raises(UserError, match="training.monitor: received 'pearson'") as caught:
        check_options(config, replace(splits, validation=None))

    assert [problem.split(":")[0] for problem in caught.value.problems] == [
        "training.monitor",
        "training.class_weights",
        "training.early_stopping_patience",
    ]


def test_changed_frozen_variable_is_noticed(second_model, run, training, monkeypatch):
    variable = second_model.classifier.by_path[f"{LAYER}0/output/dense/bias"]
    before = variable.numpy()

    def tamper(*_):
        variable.assign_add(variable * 1e-6 + 1e-9)
        return {"accuracy": 0.0}

    monkeypatch.setattr("tf_finetune.tasks.classes.Classes.score", tamper)

    with pytest.raises(RuntimeError, match=r"frozen variables changed .*layer_\._0/output/dense/b"):
        run(second_model, training(epochs=1))
    variable.assign(before)
