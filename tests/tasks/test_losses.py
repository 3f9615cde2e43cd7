"""Losses against values worked out by hand."""

import math

import numpy as np
import pytest
import tensorflow as tf

from tf_finetune.tasks.table import TASKS

pytestmark = pytest.mark.numeric


def losses(task, targets, logits, smoothing=0.0):
    return TASKS[task].losses(tf.constant(targets), tf.constant(logits), smoothing).numpy()


def test_cross_entropy():
    # Probabilities 3/4 and 1/4 in the first, 1/2 each in the second example.
    result = losses("single_label", [0, 1], [[math.log(3.0), 0.0], [5.0, 5.0]])

    np.testing.assert_allclose(result, [math.log(4 / 3), math.log(2)], rtol=1e-6)


def test_label_smoothing_spreads_its_share_over_all_classes():
    # Targets 0.9 and 0.1: 0.8 for the class and half of 0.2 for each.
    expected = -0.9 * math.log(3 / 4) - 0.1 * math.log(1 / 4)

    result = losses("single_label", [0], [[math.log(3.0), 0.0]], 0.2)

    np.testing.assert_allclose(result, [expected], rtol=1e-6)


def test_binary_cross_entropy_is_the_mean_over_labels():
    # Probability 1/2 for the first label; 1/4 for the second, which is absent.
    result = losses("multi_label", [[1.0, 0.0]], [[0.0, -math.log(3.0)]])

    np.testing.assert_allclose(result, [(math.log(2) + math.log(4 / 3)) / 2], rtol=1e-6)


def test_label_smoothing_of_several_labels_pulls_to_one_half():
    # Target 1 becomes 0.9.
    expected = -0.9 * math.log(3 / 4) - 0.1 * math.log(1 / 4)

    result = losses("multi_label", [[1.0]], [[math.log(3.0)]], 0.2)

    np.testing.assert_allclose(result, [expected], rtol=1e-6)


def test_regression_is_the_squared_error():
    np.testing.assert_allclose(losses("regression", [1.0, -2.0], [[3.0], [-2.5]]), [4.0, 0.25])


@pytest.mark.parametrize("task", ["single_label", "multi_label", "regression"])
def test_one_loss_an_example(task):
    targets = {"single_label": [0, 1, 1], "multi_label": [[1.0, 0.0]] * 3}.get(task, [1.0] * 3)

    assert losses(task, targets, np.zeros((3, 2), np.float32)).shape == (3,)


@pytest.mark.parametrize("smoothing", [0.0, 0.3])
@pytest.mark.parametrize("task", ["single_label", "multi_label", "regression"])
def test_a_solver_gets_the_losses_of_training_and_their_slopes(task, smoothing):
    rng = np.random.default_rng(0)
    outputs = 1 if task == "regression" else 4
    targets = {
        "single_label": rng.integers(0, 4, 6).astype(np.int32),
        "multi_label": rng.integers(0, 2, (6, 4)).astype(np.float32),
    }.get(task, rng.normal(size=6).astype(np.float32))
    logits = tf.constant(3 * rng.normal(size=(6, outputs)), tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(logits)
        expected = TASKS[task].losses(tf.constant(targets), logits, smoothing, 2.5)

    found, slopes = TASKS[task].losses_and_slopes(
        targets, logits.numpy().astype(np.float64), smoothing, 2.5
    )

    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(slopes, tape.gradient(expected, logits), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("task", ["single_label", "multi_label", "regression"])
def test_curvatures_are_those_of_the_slopes(task):
    rng, step = np.random.default_rng(0), 1e-5
    outputs = 1 if task == "regression" else 3
    targets = {"single_label": np.array([0, 1]), "multi_label": np.eye(3)[:2]}.get(task)
    targets = np.zeros(2) if targets is None else targets
    logits = 2 * rng.normal(size=(2, outputs))
    expected = np.empty((2, outputs))
    for output in range(outputs):
        aside = step * (np.arange(outputs) == output)
        above, below = (
            TASKS[task].losses_and_slopes(targets, logits + sign * aside)[1] for sign in (1, -1)
        )
        expected[:, output] = (above - below)[:, output] / (2 * step)

    np.testing.assert_allclose(TASKS[task].curvatures(logits), expected, rtol=1e-6)
