"""What a run keeps may be the moving average of its weights, which it goes on training without."""

import signal
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from tf_finetune.errors import UserError
from tf_finetune.machine.interruption import Interrupted
from tf_finetune.methods.adalora import AdaLora
from tf_finetune.methods.contrastive import Contrastive
from tf_finetune.training import fine_tuning
from tf_finetune.training.fine_tuning import Outputs
from tf_finetune.training.option_checks import check_options
from tf_finetune.training.split_logits import predict_logits
from tf_finetune.training.weight_average import WeightAverage

pytestmark = pytest.mark.numeric

RATE = 5e-4


def averaged(decay, *updates, begun=None):
    """Averages of weights "a" and "b" after updates that gave both a value, or were not done."""
    by_path = {path: tf.Variable([7.0]) for path in "ab"}
    plan = SimpleNamespace(trainable_paths=frozenset(by_path))
    model = SimpleNamespace(by_path=by_path, plan=plan)
    average = WeightAverage(
        model, decay, {"b": tf.Variable(begun, dtype=tf.int64)} if begun else {}
    )
    state = SimpleNamespace(iterations=tf.Variable(0, dtype=tf.int64))
    for value in updates:
        before = tf.identity(state.iterations)
        if value is not None:
            state.iterations.assign_add(1)
            for variable in by_path.values():
                variable.assign([value])
        average.after_update(before, state)
    return {path: float(value[0]) for path, value in average.values(state).items()}


def test_each_update_counts_less_than_the_next_and_the_values_before_the_first_do_not_count():
    # (1 / 4 + 2 / 2 + 4) / (1 / 4 + 1 / 2 + 1)
    assert averaged(0.5, 1.0, 2.0, 4.0)["a"] == pytest.approx(3.0)
    assert averaged(0.99, 5.0)["a"] == 5.0


def test_update_that_was_not_done_does_not_count():
    assert averaged(0.5, None, 1.0, None, 2.0, 4.0, None)["a"] == pytest.approx(3.0)


def test_what_was_never_updated_keeps_its_value():
    assert averaged(0.5, None) == {"a": 7.0, "b": 7.0}


def test_what_trains_later_is_averaged_since_then():
    # (2 / 2 + 4) / (1 / 2 + 1)
    found = averaged(0.5, 1.0, 2.0, 4.0, begun=1)

    assert found == pytest.approx({"a": 3.0, "b": 10 / 3})


@pytest.fixture(scope="module")
def config(training):
    return training(learning_rate=RATE, average_weights=0.7, early_stopping_patience=2)


@pytest.fixture(scope="module")
def kept(build, splits, config):
    return build(splits, config)


@pytest.fixture(scope="module")
def whole(kept, run, config, state):
    return state(kept, run(kept, config))


def test_scores_and_final_model_are_of_the_averages_and_training_is_as_without(
    kept, run, config, splits, model, training, monkeypatch
):
    config = config.model_copy(update={"early_stopping_patience": None})
    result = run(kept, config)
    final = kept.classifier.trainable_values()
    trained = run(model, training(learning_rate=RATE))

    averages = kept.step.average.values(kept.optimizer_state)
    own = kept.optimizer_state.variables
    for slot, other in zip(own, model.optimizer_state.variables, strict=False):
        np.testing.assert_array_equal(slot, other)
    assert len(own) - len(model.optimizer_state.variables) == len(averages)
    plain = model.classifier.trainable_values()
    for path, value in averages.items():
        np.testing.assert_array_equal(value, final[path])
        assert (value != plain[path]).any()
    logits = predict_logits(kept, splits.validation, fine_tuning.BatchShape(8))
    np.testing.assert_allclose(logits, result.validation_logits, atol=1e-6)
    scores = splits.labels.score(splits.validation.labels, logits)
    assert scores["loss"] == pytest.approx(result.history[-1]["val_loss"], abs=1e-6)
    assert [e["loss"] for e in result.history] == [e["loss"] for e in trained.history]
    assert result.history[-1]["val_loss"] != trained.history[-1]["val_loss"]


@pytest.mark.parametrize("step", [3, 5, 8])
def test_resumed_run_equals_an_undisturbed_one(
    kept, run, config, state, assert_equal, whole, tmp_path, interrupt_at, step
):
    outputs = interrupt_at(step, tmp_path)
    with pytest.raises(KeyboardInterrupt):
        run(kept, config, outputs=outputs)

    def spoil():
        for variable in (*kept.classifier.trainable_weights, *kept.step.average.averages):
            variable.assign(variable + 1)

    result = run(kept, config, outputs=outputs, prepare=spoil)

    assert_equal(state(kept, result), whole)


def test_run_that_is_stopped_while_it_is_scored_saves_what_it_trains(
    kept, run, config, state, assert_equal, whole, tmp_path, monkeypatch
):
    outputs = Outputs(checkpoints=tmp_path)

    def stop(*_):
        raise Interrupted(signal.SIGINT)

    with monkeypatch.context() as patch:
        patch.setattr(fine_tuning, "predict_logits", stop)
        with pytest.raises(Interrupted):
            run(kept, config, outputs=outputs)

    assert_equal(state(kept, run(kept, config, outputs=outputs)), whole)


def test_two_replicas_in_micro_batches_equal_one_batch_of_one_device(
    build, splits, run, config, state, rounded, assert_equal, whole, two_replicas
):
    config = config.model_copy(update={"accumulation_steps": 2})
    mirrored = build(splits, config, chosen=two_replicas)

    found = rounded(state(mirrored, run(mirrored, config, chosen=two_replicas)))

    assert_equal(found, rounded(whole), atol=1e-5)
    for average in mirrored.step.average.averages:
        np.testing.assert_array_equal(*average.values)


@pytest.mark.parametrize(
    ("method", "why"),
    [(AdaLora(), "takes out between steps"), (Contrastive(), "solves the head anew")],
)
def test_average_that_would_mean_nothing_is_refused(splits, training, method, why):
    with pytest.raises(UserError, match=rf"average_weights: received 0\.9 with .*{why}.*: null"):
        check_options(training(average_weights=0.9), splits, methods=[method])
