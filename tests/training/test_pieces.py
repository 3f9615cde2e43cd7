"""Micro-batches and replicas compute what one batch on one device computes, dropout included."""

import numpy as np
import pytest

from tf_finetune.training.fine_tuning import Outputs
from tf_finetune.training.pipeline import BatchShape
from tf_finetune.training.split_logits import predict_logits

pytestmark = pytest.mark.numeric

# Adam divides by the size of a gradient, and so makes rounding of small ones as large as steps.
RATE = 5e-4


@pytest.fixture(scope="module")
def whole(model, run, training, state, rounded):
    """State after a run on one device without accumulation; its last batch has 4 rows."""
    return rounded(state(model, run(model, training(learning_rate=RATE))))


@pytest.fixture(scope="module")
def mirrored(build, splits, training, two_replicas):
    return build(splits, training(learning_rate=RATE), chosen=two_replicas)


@pytest.fixture(scope="module")
def in_quarters(build, splits, training):
    return build(splits, training(learning_rate=RATE, accumulation_steps=4))


def test_four_micro_batches_equal_one_batch(
    in_quarters, run, training, state, rounded, assert_equal, whole
):
    result = run(in_quarters, training(learning_rate=RATE, accumulation_steps=4))

    assert_equal(rounded(state(in_quarters, result)), whole, atol=1e-5)


def test_two_replicas_equal_one_device(
    mirrored, run, training, state, rounded, assert_equal, whole, two_replicas, tmp_path
):
    outputs = Outputs(events=tmp_path)
    result = run(mirrored, training(learning_rate=RATE), chosen=two_replicas, outputs=outputs)

    assert_equal(rounded(state(mirrored, result)), whole, atol=1e-5)


def test_two_replicas_in_one_call_equal_one_device(
    mirrored, run, training, state, rounded, assert_equal, whole, two_replicas
):
    result = run(mirrored, training(learning_rate=RATE, steps_per_execution=3), chosen=two_replicas)

    assert_equal(rounded(state(mirrored, result)), whole, atol=1e-5)


def test_replicas_hold_the_same_weights(mirrored):
    for variable in mirrored.classifier.trainable_weights:
        first, second = variable.values
        np.testing.assert_array_equal(first, second)


def test_odd_batches_over_two_replicas_equal_one_device(
    model, mirrored, run, training, state, rounded, assert_equal, two_replicas
):
    # Seven, and one in the last batch: pieces of four and one rows are filled up.
    config = training(learning_rate=RATE, batch_size=7, epochs=1)
    expected = rounded(state(model, run(model, config)))

    result = run(mirrored, config, chosen=two_replicas)

    assert_equal(rounded(state(mirrored, result)), expected, atol=1e-5)


def test_two_replicas_predict_every_example_once_in_order(
    model, mirrored, splits, cpu, two_replicas
):
    mirrored.classifier.set_values(model.classifier.trainable_values())
    expected = predict_logits(model, splits.test, BatchShape(12))

    for batch_size in (2, 5, 100):
        shape = BatchShape(batch_size, replicas=2)
        logits = predict_logits(mirrored, splits.test, shape)
        np.testing.assert_allclose(logits, expected, atol=1e-6)


def test_two_replicas_resume_in_the_middle_of_an_epoch(
    mirrored, run, training, state, assert_equal, two_replicas, tmp_path, interrupt_at
):
    expected = state(mirrored, run(mirrored, training(learning_rate=RATE), chosen=two_replicas))

    outputs = interrupt_at(3, tmp_path)
    with pytest.raises(KeyboardInterrupt):
        run(mirrored, training(learning_rate=RATE), chosen=two_replicas, outputs=outputs)
    result = run(mirrored, training(learning_rate=RATE), chosen=two_replicas, outputs=outputs)

    assert_equal(state(mirrored, result), expected)


@pytest.mark.parametrize("pieces", ["in_quarters", "mirrored"])
def test_number_that_is_bad_in_one_piece_drops_the_whole_step(
    model, run, training, state, rounded, assert_equal, two_replicas, poison, request, pieces
):
    poison(2)  # the first row: the other pieces are fine
    config = training(learning_rate=RATE, epochs=1, on_nonfinite="skip")
    expected = state(model, run(model, config))
    cut, options = request.getfixturevalue(pieces), {}
    if pieces == "mirrored":
        options["chosen"] = two_replicas
    else:
        config = config.model_copy(update={"accumulation_steps": 4})

    result = run(cut, config, **options)

    assert expected["epoch 0"]["dropped_steps"] == 1
    assert_equal(rounded(state(cut, result)), rounded(expected), atol=1e-5)
