"""Choices are answered each by itself, however their rows are cut, packed or cached."""

import csv
from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf

from tf_finetune.data.batch import text_rows
from tf_finetune.data.joined_split import join_splits
from tf_finetune.data.loading import load_split
from tf_finetune.data.packing import packed_batches, packed_shape
from tf_finetune.data.states import PrefixStates
from tf_finetune.encoders.locating import EncoderFiles
from tf_finetune.models.building import build
from tf_finetune.models.weights import Pretrained
from tf_finetune.options.data import DataConfig
from tf_finetune.tasks.choices import Choices
from tf_finetune.training.loss import LabelLoss
from tf_finetune.training.packed_batches import packed_batch
from tf_finetune.training.pipeline import BatchShape, global_batch, rows_of

pytestmark = pytest.mark.numeric

LABELS = Choices(("0", "1", "2"))
SHAPE = BatchShape(5, max_length=60)
WEIGHTS = np.array([1, 0.5, 2, 1, 0.25], np.float32)


@pytest.fixture(scope="module")
def split(tmp_path_factory, tiny_tokenizer):
    """Five examples, of texts of several lengths."""
    folder = tmp_path_factory.mktemp("choices")
    words = ["good", "bad and dull", "not very great", "fine", "poor ,"]
    with (folder / "train.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "choice0", "choice1", "choice2", "label"])
        for number in range(5):
            choices = [words[(number + place) % 5] for place in range(3)]
            writer.writerow(["the film was " * (1 + number % 3), *choices, number % 3])
    config = DataConfig.model_validate(
        {
            "text_column": "text",
            "label_column": "label",
            "choice_columns": ["choice0", "choice1", "choice2"],
            "task": "multiple_choice",
            "max_length": 60,
            "cache_dir": str(folder / "cache"),
        }
    )
    return load_split(config, str(folder / "train.csv"), tiny_tokenizer, LABELS)


@pytest.fixture(scope="module")
def build_at(tiny_encoder, spec_for):
    def make(depth):
        files = EncoderFiles("tiny", tiny_encoder).read_by(LABELS.pooling)
        return build(spec_for(files, LABELS, freeze={"depth": depth}), Pretrained())

    return make


@pytest.fixture(scope="module")
def model(build_at):
    return build_at(0)


@pytest.fixture(scope="module")
def alone(split, model, tiny_tokenizer):
    """The logit of each choice in a row of its own, [5, 3]."""
    logits = []
    for record in split.records(np.arange(5)):
        contexts = [record.text.strip()] * 3
        tokens = tiny_tokenizer(contexts, list(record.choices), padding=True, return_tensors="np")
        names = ("input_ids", "token_type_ids", "attention_mask")
        rows = text_rows(*(tf.constant(tokens[name], tf.int32) for name in names))
        logits.append(model(rows, training=False).numpy()[:, 0])
    return np.stack(logits)


def as_tensors(batch):
    return tf.nest.map_structure(tf.constant, batch)


def batch_of(split, states=None):
    return as_tensors(global_batch(split, np.arange(5), WEIGHTS, SHAPE, step=0, states=states))


def loss_of(model, batch):
    logits = model(batch.inputs, training=False)
    losses = LabelLoss(model, Choices)(batch.inputs, tf.reshape(batch.targets, [-1]), logits)
    return float(tf.reduce_sum(losses * tf.reshape(batch.weights, [-1])) / batch.whole.weight_sum)


def test_each_choice_is_answered_as_in_a_row_of_its_own(split, model, alone):
    batch = batch_of(split)

    logits = model(batch.inputs, training=False).numpy().reshape(5, 3)

    np.testing.assert_allclose(logits, alone, atol=1e-5)
    assert np.ptp(logits, axis=1).min() > 1e-4, "the choices do not differ"
    assert batch.targets.shape == (5, 1)


def test_the_loss_is_the_weighted_mean_over_examples_whatever_the_pieces(split, model, alone):
    targets = np.array([0, 1, 2, 0, 1])
    chances = np.exp(alone) / np.exp(alone).sum(axis=1, keepdims=True)
    losses = -np.log(chances[np.arange(5), targets])
    batch = batch_of(split)

    assert loss_of(model, batch) == pytest.approx((losses * WEIGHTS).sum() / WEIGHTS.sum(), 1e-5)
    pieces = [rows_of(batch, tf.constant(at), tf.constant(1)) for at in range(5)]
    assert sum(loss_of(model, p) for p in pieces) == pytest.approx(loss_of(model, batch), 1e-5)


@pytest.mark.parametrize("depth", [1, 3])
def test_cached_states_give_the_same(depth, split, build_at):
    model, batch = build_at(depth), batch_of(split)
    states = model.boundary_states(batch.inputs).numpy()
    reads_only = depth == model.num_layers
    lengths = np.full(5, 3) if reads_only else split.lengths.astype(np.int64)
    values = np.concatenate([row[:n] for row, n in zip(states, lengths, strict=True)])
    kept = PrefixStates(values, np.cumsum(lengths) - lengths, lengths, depth, reads_only)

    cached = batch_of(split, kept)

    expected = model(batch.inputs, training=False)
    np.testing.assert_allclose(model(cached.inputs, training=False), expected, atol=1e-6)


def test_several_examples_of_a_packed_row_are_answered_each(split, model, alone):
    (placed,) = packed_batches(split.lengths, 5, 120, seed=0, epoch=0)
    shape = packed_shape(split.lengths, 5, 120, seed=0)
    assert placed.slots.max() > 0
    batch = as_tensors(packed_batch(split, placed, replace(shape, rows=shape.rows + 1), WEIGHTS, 0))

    logits = model(batch.inputs, training=False).numpy().reshape(-1, shape.slots, 3)

    np.testing.assert_allclose(logits[placed.rows, placed.slots], alone[placed.examples], atol=1e-5)
    assert loss_of(model, batch) == pytest.approx(loss_of(model, batch_of(split)), 1e-5)


def test_joined_splits_answer_and_tell_the_choices_of_both(split, model, alone):
    both = join_splits(split.select(np.arange(3)), split.select(np.arange(3, 5)))

    assert both.records(np.array([4]))[0].choices == split.records(np.array([4]))[0].choices
    logits = model(batch_of(both).inputs, training=False).numpy().reshape(5, 3)
    np.testing.assert_allclose(logits, alone, atol=1e-5)


def test_texts_of_the_split_are_told_with_their_choices(split):
    (one,) = split.records(np.array([1]))

    assert one.choices == ("bad and dull", "not very great", "fine")
    assert one.text.strip() == "the film was the film was"
