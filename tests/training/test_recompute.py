"""Layers that are computed again in the backward pass give the same training, in less memory."""

import pytest
import tensorflow as tf

from tf_finetune.data.batch import text_rows
from tf_finetune.encoders.dropout import dropout_position

pytestmark = pytest.mark.numeric


@pytest.fixture(scope="module")
def expected(build, splits, training, run, state, rounded):
    config = training(epochs=1)
    model = build(splits, config, method="lora")
    return rounded(state(model, run(model, config)))


def test_training_in_micro_batches_is_the_same(
    expected, build, splits, training, run, state, rounded, assert_equal
):
    config = training(epochs=1, recompute=True, accumulation_steps=2)
    model = build(splits, config, method="lora")

    assert_equal(rounded(state(model, run(model, config))), expected, atol=1e-5)


def test_two_replicas_train_the_same(
    expected, build, splits, training, run, state, rounded, assert_equal, two_replicas
):
    config = training(epochs=1, recompute=True)
    model = build(splits, config, chosen=two_replicas, method="lora")

    found = rounded(state(model, run(model, config, chosen=two_replicas)))

    assert_equal(found, expected, atol=1e-5)


def test_trained_layers_are_computed_twice_and_no_other(build, splits, training):
    classifier = build(splits, training(recompute=True)).classifier
    computed = []
    layer = classifier.encoder.layer
    classifier.encoder.layer = lambda index, *rest: computed.append(index) or layer(index, *rest)
    ids = tf.ones([2, 4], tf.int32)
    with tf.GradientTape() as tape, dropout_position(tf.constant([0, 0, 0], tf.int64)):
        loss = tf.reduce_sum(classifier(text_rows(ids, 0 * ids, ids), training=True))
    tape.gradient(loss, classifier.trainable_weights)

    assert computed == [0, 1, 2, 2, 1]
