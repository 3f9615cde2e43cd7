"""A step may also learn from states that are moved to where the loss is greater."""

import numpy as np
import pytest
import tensorflow as tf

from tf_finetune.data.batch import Inputs, States
from tf_finetune.encoders.dropout import dropout_position
from tf_finetune.errors import UserError
from tf_finetune.methods.contrastive import Contrastive
from tf_finetune.training.adversarial import moves
from tf_finetune.training.option_checks import check_options
from tf_finetune.training.pipeline import BatchShape, dropout_place, global_batch

pytestmark = pytest.mark.numeric

RATE, EPSILON = 5e-4, 2.0


def test_each_row_is_moved_by_epsilon_along_its_gradient():
    gradient = np.float32([[[3.0, 0.0], [0.0, 4.0]], [[0, 0], [0, 0]], [[1e-30, 0], [0, 0]]])

    moved = moves(gradient, None, 10.0)

    expected = [[[6, 0], [0, 8]], [[0, 0], [0, 0]], [[10, 0], [0, 0]]]
    np.testing.assert_allclose(moved, expected, rtol=1e-6)


def test_each_text_of_a_packed_row_is_moved_by_epsilon():
    gradient = np.float32([[[3.0], [4.0], [-0.5], [0.0]]])

    moved = moves(gradient, tf.constant([[1, 1, 2, 0]]), 1.0)

    np.testing.assert_allclose(moved[0, :, 0], [0.6, 0.8, -1, 0], rtol=1e-6)


@pytest.mark.parametrize(
    ("depth", "options"), [(0, {}), (1, {}), (1, {"recompute": True}), (3, {})]
)
def test_gradients_are_those_of_both_losses(build, splits, training, depth, options):
    model = build(splits, training(adversarial=EPSILON, **options), depth=depth)
    batch = global_batch(
        splits.train, np.arange(8), np.ones(len(splits.train), np.float32), BatchShape(8), step=3
    )
    batch = tf.nest.map_structure(tf.constant, batch)
    classifier, (_, texts) = model.classifier, batch.inputs

    def mean_loss(states):
        with dropout_position(*dropout_place(batch)):
            logits = classifier(Inputs(States(states), texts), training=True)
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(batch.targets[:, 0], logits)
        return tf.reduce_mean(losses)

    def states():
        with dropout_position(*dropout_place(batch)):
            return classifier.states_of(batch.inputs, training=True)

    classifier.recompute = False
    with tf.GradientTape() as tape:
        given = tf.constant(states())
        tape.watch(given)
        plain = mean_loss(given)
    slope = tape.gradient(plain, given).numpy()
    lengths = np.sqrt(np.square(slope).sum(axis=(1, 2), keepdims=True))
    with tf.GradientTape() as tape:
        both = mean_loss(states()) + mean_loss(states() + EPSILON * slope / lengths)
    expected = tape.gradient(both, classifier.trainable_weights)
    classifier.recompute = bool(options)

    loss, gradients = model.step.piece_gradients(batch)

    assert float(loss) == pytest.approx(float(plain), rel=1e-5)
    assert float(both) > 2.01 * float(plain)
    for found, wanted in zip(gradients, expected, strict=True):
        wanted = tf.convert_to_tensor(wanted).numpy()
        np.testing.assert_allclose(found, wanted, atol=1e-5 * max(1, np.abs(wanted).max()))


@pytest.fixture(scope="module")
def config(training):
    return training(learning_rate=RATE, adversarial=EPSILON)


@pytest.fixture(scope="module")
def moved(build, splits, config):
    return build(splits, config)


@pytest.fixture(scope="module")
def whole(moved, run, config, state):
    return state(moved, run(moved, config))


def test_it_trains_otherwise(whole, model, run, training, state):
    plain = state(model, run(model, training(learning_rate=RATE)))

    assert plain["epoch 1"]["val_loss"] != whole["epoch 1"]["val_loss"]


def test_resumed_run_equals_an_undisturbed_one(
    moved, run, config, state, assert_equal, whole, tmp_path, interrupt_at
):
    outputs = interrupt_at(3, tmp_path)
    with pytest.raises(KeyboardInterrupt):
        run(moved, config, outputs=outputs)

    assert_equal(state(moved, run(moved, config, outputs=outputs)), whole)


def test_two_replicas_in_micro_batches_equal_one_batch_of_one_device(
    build, splits, run, config, state, rounded, assert_equal, whole, two_replicas
):
    config = config.model_copy(update={"accumulation_steps": 2})
    mirrored = build(splits, config, chosen=two_replicas)

    found = rounded(state(mirrored, run(mirrored, config, chosen=two_replicas)))

    assert_equal(found, rounded(whole), atol=1e-5)


def test_methods_without_a_loss_of_each_text_are_refused(splits, training):
    with pytest.raises(UserError, match=r"adversarial: received 2 with .*contrastive.*: 0"):
        check_options(training(adversarial=2), splits, methods=[Contrastive()])
