"""Training on pairs: pieces, replicas and interruptions change nothing, and the head is solved."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf
from rich.console import Console

from tf_finetune.errors import UserError
from tf_finetune.methods.contrastive import Contrastive, ContrastiveLora
from tf_finetune.methods.full import Full
from tf_finetune.training.batch_shapes import evaluation_shape
from tf_finetune.training.head_solving import HeadSolver
from tf_finetune.training.option_checks import check_options
from tf_finetune.training.pair_loss import PairLoss

pytestmark = pytest.mark.numeric

METHOD = {"name": "contrastive", "pairs": 1}
# Adam divides by the size of a gradient, and so makes rounding of small ones as large as steps.
RATE = 5e-4


@pytest.fixture(scope="module")
def config(training):
    """Two epochs of 36 texts, each read four times, in 18 steps."""
    return training(learning_rate=RATE)


@pytest.fixture(scope="module")
def paired(build, splits, config):
    return build(splits, config, depth=2, method=METHOD)


@pytest.fixture(scope="module")
def whole(paired, run, config, state):
    return state(paired, run(paired, config))


def test_the_loss_is_that_of_the_cosine():
    vectors = tf.constant([[2.0, 0.0], [1.0, 1.0], [0.0, 3.0], [4.0, 0.0]])
    half = np.sqrt(0.5)
    same = PairLoss()(None, tf.constant([1, 1, 0, 0]), vectors)
    np.testing.assert_allclose(same, [(1 - half) ** 2] * 2 + [1.0] * 2, rtol=1e-6)
    different = PairLoss()(None, tf.constant([1, 0, 2, 0]), vectors)
    np.testing.assert_allclose(different, [0.5] * 2 + [0.0] * 2, rtol=1e-6, atol=1e-12)


def test_steps_are_those_of_the_pairs(paired, run, config, whole):
    result = run(paired, config)
    assert result.steps == 36
    losses = [entry["loss"] for entry in result.history]
    assert losses[1] < losses[0]
    assert "val_accuracy" in result.history[0]


def test_two_replicas_in_micro_batches_equal_one_device(
    build, splits, config, two_replicas, run, state, rounded, assert_equal, whole
):
    # A piece has one pair: rows of a pair are never parted.
    cut = config.model_copy(update={"accumulation_steps": 2})
    mirrored = build(splits, cut, depth=2, chosen=two_replicas, method=METHOD)

    found = state(mirrored, run(mirrored, cut, chosen=two_replicas))

    found, expected = rounded(found), rounded(whole)
    for of_run in (found, expected):
        # Solved for vectors of so tiny an encoder that some of their axes are rounding alone: the
        # head is long there, and so are the scores by it.
        del of_run["classifier/kernel"], of_run["classifier/bias"]
        for epoch in ("epoch 0", "epoch 1"):
            of_run[epoch] = {"loss": of_run[epoch]["loss"]}
    assert_equal(found, expected, atol=2e-5)


@pytest.mark.parametrize("step", [7, 18])
def test_resumed_run_equals_an_undisturbed_one(
    paired, run, config, state, assert_equal, whole, tmp_path, interrupt_at, step
):
    outputs = interrupt_at(step, tmp_path)
    with pytest.raises(KeyboardInterrupt):
        run(paired, config, outputs=outputs)

    assert_equal(state(paired, run(paired, config, outputs=outputs)), whole)


def test_the_head_is_the_best_one_for_the_vectors_at_the_end(
    paired, run, config, splits, cpu, weights, assert_equal
):
    run(paired, config)
    after = weights(paired)
    section = SimpleNamespace(batch_size=8)
    shape = evaluation_shape(section, config, 32, cpu)
    quiet = Console(quiet=True)

    train_alone = replace(splits, validation=None)
    HeadSolver(paired, train_alone, config, shape, {}, None, quiet).solve()

    assert_equal(weights(paired), after)


def test_classes_of_one_text_and_options_of_labels_are_refused(splits, training):
    first = int(np.flatnonzero(splits.train.labels == 0)[0])
    others = np.flatnonzero(splits.train.labels == 1)
    few = replace(splits, train=splits.train.select(np.sort(np.r_[first, others])))
    config = training(padding="packed", head_rate_factor=10)

    check_options(config, few, methods=[Full()])
    with pytest.raises(UserError) as caught:
        check_options(config, few, methods=[Full(), ContrastiveLora()])

    assert caught.value.problems == [
        "data.train: received 1 text of the class 'neg', and method.name=contrastive_lora pairs "
        "texts of the same class; accepted: 2 or more of each class",
        "training.padding: received packed with method.name=contrastive_lora, whose steps compare "
        "rows; accepted: auto, longest, buckets, max",
        "training.head_rate_factor: received 10 with method.name=contrastive_lora, which solves "
        "the head; accepted: 1",
    ]


def test_numbers_are_not_paired(load_tiny, training, tmp_path):
    path = tmp_path / "scores.csv"
    path.write_text("text,label\n" + "".join(f"good {n},{n}.5\n" for n in range(10)))
    scores = load_tiny(path, task="regression")
    with pytest.raises(UserError, match="received contrastive for a regression task"):
        check_options(training(), scores, methods=[Contrastive()])
