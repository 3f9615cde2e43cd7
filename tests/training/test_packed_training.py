"""Packed rows give the logits, losses and gradients of the same texts in rows of their own."""

from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf

from tf_finetune.data.packing import pack, packed_batches, packed_shape
from tf_finetune.encoders.dropout import dropout_position
from tf_finetune.training.packed_batches import packed_batch
from tf_finetune.training.pipeline import (
    BatchShape,
    dropout_place,
    global_batch,
    rows_of,
    training_dataset,
)

pytestmark = pytest.mark.numeric

SHAPE = BatchShape(8, max_length=32, padding="packed")


def as_tensors(batch):
    return tf.nest.map_structure(tf.constant, batch)


@pytest.fixture(scope="module")
def unpacked(splits):
    """Eight texts in rows of their own."""
    rows = np.arange(8)
    weights = np.linspace(0.5, 2, len(splits.train)).astype(np.float32)
    return as_tensors(global_batch(splits.train, rows, weights, BatchShape(8), step=0))


@pytest.fixture(scope="module")
def packed(splits):
    """The same in the first batch of an epoch of one batch."""
    train = splits.train.select(np.arange(8))
    (placed,) = packed_batches(train.lengths, 8, 32, seed=0, epoch=0)
    shape = packed_shape(train.lengths, 8, 32, seed=0)
    weights = np.linspace(0.5, 2, len(splits.train)).astype(np.float32)
    room = replace(shape, rows=shape.rows + 1)
    batch = packed_batch(train, placed, room, weights[:8], step=0)
    return as_tensors(batch), placed, shape.slots


def in_order(logits, batch, num_slots):
    """Logits of the texts in the order of the split."""
    flat = batch.rows * num_slots + batch.slots
    return np.asarray(logits)[flat[np.argsort(batch.examples)]]


def test_rows_hold_several_texts(packed, splits):
    batch, placed, _ = packed

    assert placed.rows.max() + 1 < 8
    tokens = batch.inputs.texts.segment_ids.numpy() > 0
    assert tokens.sum() == splits.train.lengths[:8].sum()


@pytest.mark.parametrize("depth", [0, 1, 3])
def test_logits_are_those_of_texts_in_rows_of_their_own(
    build, splits, training, packed, unpacked, depth
):
    classifier = build(splits, training(), depth).classifier
    batch, placed, num_slots = packed

    logits = in_order(classifier(batch.inputs, training=False), placed, num_slots)

    np.testing.assert_allclose(logits, classifier(unpacked.inputs, training=False), atol=1e-5)


def test_loss_and_gradients_are_the_same(build, splits, training, packed, unpacked):
    model = build(splits, training(), 1, dropout=0.0)

    loss, gradients = model.step.gradients(packed[0])
    expected_loss, expected = model.step.gradients(unpacked)

    np.testing.assert_allclose(loss, expected_loss, rtol=1e-5)
    for gradient, other in zip(gradients, expected, strict=True):
        np.testing.assert_allclose(gradient, other, atol=1e-5)


def test_dropout_of_a_row_does_not_depend_on_the_piece_it_is_in(build, splits, training, packed):
    model = build(splits, training(), 1)
    batch, _, num_slots = packed
    rows = len(batch.weights)
    half = rows // 2

    def logits(piece):
        with dropout_position(*dropout_place(piece)):
            return model.classifier(piece.inputs, training=True)

    whole = logits(batch)
    second = logits(rows_of(batch, half, rows - half))

    np.testing.assert_allclose(whole[half * num_slots :], second, atol=1e-5)


def test_epoch_trains_every_text_once_in_batches_of_one_shape(splits):
    weights = np.arange(1, len(splits.train) + 1).astype(np.float32)
    dataset = training_dataset(splits.train, weights, SHAPE, seed=1, first_step=0, last_step=5)

    batches = list(dataset.as_numpy_iterator())

    seen = np.concatenate([batch.weights[batch.weights > 0] for batch in batches])
    assert sorted(seen) == weights.tolist()
    assert len({batch.inputs.content.ids.shape for batch in batches}) == 1


def test_steps_can_be_started_anywhere(splits):
    weights = np.ones(len(splits.train), np.float32)
    whole, rest = (
        list(
            training_dataset(
                splits.train, weights, SHAPE, seed=1, first_step=first, last_step=9
            ).as_numpy_iterator()
        )
        for first in (0, 7)
    )

    for expected, batch in zip(whole[7:], rest, strict=True):
        tf.nest.map_structure(np.testing.assert_array_equal, batch, expected)


def test_two_replicas_equal_one_device_for_means_too(
    build, run, splits, training, state, assert_equal, rounded, cpu, two_replicas
):
    config = training(padding="packed")
    one, two = (
        build(splits, config, 2, chosen=chosen, pooling="mean") for chosen in (cpu, two_replicas)
    )

    expected = rounded(state(one, run(one, config)))

    assert_equal(rounded(state(two, run(two, config, chosen=two_replicas))), expected, atol=1e-5)


def test_one_text_a_row_is_packed_too():
    packed = pack([0, 1], np.array([30, 31]), 32)

    assert packed.rows.tolist() == [1, 0]
    assert packed.slots.tolist() == [0, 0]
