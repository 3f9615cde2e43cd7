"""What a method keeps beside weights and slots is a part of the run like these."""

from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from tf_finetune.training.bad_numbers import NonFiniteError

pytestmark = pytest.mark.numeric

RATE = 5e-4
# Ten steps: e are dropped at the fourth and the sixth, and at each from the seventh on.
METHOD = {"name": "adalora", "interval": 2}


@pytest.fixture(scope="module")
def config(training):
    return training(learning_rate=RATE)


@pytest.fixture(scope="module")
def of_method(build, splits, config):
    return build(splits, config, method=METHOD)


@pytest.fixture(scope="module")
def whole(of_method, run, config, state):
    return state(of_method, run(of_method, config))


def dropped(model):
    by_path = model.classifier.by_path
    every = [by_path[v.path].numpy() for v in model.classifier.plan.added if v.name == "lora_e"]
    return int(sum((value == 0).sum() for value in every)), len(every)


def test_run_ends_with_the_budget_and_averages_that_were_filled(of_method, whole):
    zeros, matrices = dropped(of_method)

    assert matrices > 1
    assert zeros == 2 * matrices  # of six, four stay on average
    assert all(average.numpy().any() for average in of_method.step.upkeep.averages)


@pytest.mark.parametrize("step", [5, 8])
def test_resumed_run_equals_an_undisturbed_one(
    of_method, run, config, state, assert_equal, whole, tmp_path, interrupt_at, step
):
    outputs = interrupt_at(step, tmp_path)
    with pytest.raises(KeyboardInterrupt):
        run(of_method, config, outputs=outputs)

    def spoil():
        for variable in (*of_method.classifier.trainable_weights, *of_method.step.upkeep.averages):
            variable.assign(variable + 1)

    result = run(of_method, config, outputs=outputs, prepare=spoil)

    assert_equal(state(of_method, result), whole)


def test_run_begins_without_what_the_run_before_kept(
    of_method, run, config, state, assert_equal, whole
):
    assert_equal(state(of_method, run(of_method, config)), whole)


def test_two_replicas_in_micro_batches_equal_one_batch_of_one_device(
    build, splits, run, training, state, rounded, assert_equal, whole, two_replicas
):
    config = training(learning_rate=RATE, accumulation_steps=2)
    mirrored = build(splits, config, method=METHOD, chosen=two_replicas)

    found = rounded(state(mirrored, run(mirrored, config, chosen=two_replicas)))

    assert_equal(found, rounded(whole), atol=1e-5)
    for average in mirrored.step.upkeep.averages:
        np.testing.assert_array_equal(*average.values)


def test_step_that_is_dropped_changes_no_average(of_method, run, training, poison):
    poison(*range(5))
    config = training(learning_rate=RATE, epochs=1, on_nonfinite="skip")

    with pytest.raises(NonFiniteError, match="5 bad steps in a row"):
        run(of_method, config)

    assert not any(average.numpy().any() for average in of_method.step.upkeep.averages)


@pytest.mark.parametrize("before", [3, 4])
def test_loss_scale_that_was_too_large_changes_nothing(of_method, before):
    model, upkeep = of_method.classifier, of_method.step.upkeep
    schedule = SimpleNamespace(total_steps=tf.constant(10.0))
    # At the fourth of ten steps e are dropped; it may be counted from a step before.
    state = SimpleNamespace(iterations=tf.constant(4), schedule=schedule, scales_loss=True)
    kept = [*upkeep.averages, *model.trainable_weights]
    for variable in kept:
        variable.assign(tf.ones_like(variable))

    upkeep.after_update(list(map(tf.ones_like, model.trainable_weights)), before, state)

    changed = {v.name for v in kept if not np.all(v.numpy() == 1)}
    names = {name for name in ("lora_e:0", "average_1/") for c in changed if name in c}
    assert names == ({"lora_e:0", "average_1/"} if before == 3 else set())
    assert bool(changed) == (before == 3)
