"""`tf.data` pipelines: global batches of tokens, in an order that can be recomputed.

A global batch carries where it stands (seed, step, first row) and the weight of all its rows,
and has as many rows as its replicas and micro-batches need to get equal pieces of it
(`rows_of`). So loss scaling, dropout and order do not depend on how many replicas there
are, and the last, smaller batch counts right.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from tf_finetune.data import Split
from tf_finetune.data.batches import Padding, epoch_batches, evaluation_batches, padded_length

_PREFETCHED_BATCHES = 4
_BY_ROW = ("token_ids", "token_type_ids", "attention_mask", "targets", "weights")


@dataclass(frozen=True)
class BatchShape:
    """How batches are cut and padded.

    Attributes:
        batch_size: Examples a step over all replicas.
        replicas: Pieces that a batch is cut into, one a replica.
        micro_batches: Pieces that a replica computes one after the other.
        padding: "longest", "buckets" or "max".
        max_length: Longest text in tokens.
        fixed_rows: Whether smaller batches are filled up with rows of weight 0, for XLA.
    """

    batch_size: int
    replicas: int = 1
    micro_batches: int = 1
    padding: Padding = "longest"
    max_length: int = 128
    fixed_rows: bool = False

    def batch_rows(self, examples: int) -> int:
        """Rows of a batch with this many examples: a multiple of its pieces."""
        rows = self.batch_size if self.fixed_rows else examples
        pieces = self.replicas * self.micro_batches
        return -(-rows // pieces) * pieces


def training_dataset(
    split: Split,
    example_weights: np.ndarray,
    shape: BatchShape,
    *,
    seed: int,
    first_step: int,
    last_step: int,
) -> tf.data.Dataset:
    """Global batches of the steps `first_step` to `last_step` (exclusive).

    Args:
        split: The training examples.
        example_weights: Loss weight of each example, float32 [n].
        shape: How batches are cut and padded.
        seed: With the epoch, it determines the order.
        first_step: Global step to start at; earlier epochs are skipped without reading.
        last_step: Global step to stop before.

    Returns:
        Elements as `batch_signature` describes.
    """

    def batches() -> Iterator[dict[str, Any]]:
        steps = steps_per_epoch(len(split), shape.batch_size)
        epoch, order = -1, []
        for step in range(first_step, last_step):
            if step // steps != epoch:
                epoch = step // steps
                order = epoch_batches(split.lengths, shape.batch_size, seed=seed, epoch=epoch)
            yield global_batch(split, order[step % steps], example_weights, shape, step, seed)

    return _dataset(batches, split)


def evaluation_dataset(split: Split, shape: BatchShape) -> tf.data.Dataset:
    """Global batches that hold every example of a split once, in `evaluation_order`."""
    weights = np.ones(len(split), np.float32)

    def batches() -> Iterator[dict[str, Any]]:
        for step, rows in enumerate(evaluation_batches(split.lengths, shape.batch_size)):
            yield global_batch(split, rows, weights, shape, step)

    return _dataset(batches, split)


def evaluation_order(split: Split, shape: BatchShape) -> np.ndarray:
    """Example of every row of `evaluation_dataset`, -1 for rows that only fill up. int64."""
    order = []
    for rows in evaluation_batches(split.lengths, shape.batch_size):
        filled = np.full(shape.batch_rows(len(rows)), -1, np.int64)
        filled[: len(rows)] = rows
        order.append(filled)
    return np.concatenate(order)


def steps_per_epoch(examples: int, batch_size: int) -> int:
    """Optimiser steps of an epoch; the last batch may be smaller."""
    return -(-examples // batch_size)


def global_batch(
    split: Split,
    rows: np.ndarray,
    example_weights: np.ndarray,
    shape: BatchShape,
    step: int,
    seed: int = 0,
) -> dict[str, Any]:
    """Reads one batch; rows that fill it up repeat the first example with weight 0."""
    longest = int(split.lengths[rows].max())
    length = padded_length(longest, shape.padding, shape.max_length)
    length += length % 2  # what positional dropout needs
    filler = np.repeat(rows[:1], shape.batch_rows(len(rows)) - len(rows))
    filled = np.concatenate([rows, filler])
    weights = example_weights[filled].astype(np.float32)
    weights[len(rows) :] = 0.0
    tokens = split.gather(filled, pad_to=length)
    return {
        "token_ids": tokens.token_ids,
        "token_type_ids": tokens.token_type_ids,
        "attention_mask": tokens.attention_mask,
        "targets": split.labels[filled],
        "weights": weights,
        "weight_sum": np.float32(weights.sum(dtype=np.float64)),
        "position": np.array([seed, step, 0], np.int64),
    }


def rows_of(batch: Mapping[str, tf.Tensor], first: tf.Tensor, count: tf.Tensor) -> dict[str, Any]:
    """Rows `first` to `first + count` of a batch, which say that they stand there."""
    zero = tf.constant(0, tf.int64)
    offset = tf.stack([zero, zero, tf.cast(first, tf.int64)])
    return {
        **batch,
        **{name: batch[name][first : first + count] for name in _BY_ROW},
        "position": batch["position"] + offset,
    }


def batch_signature(split: Split) -> dict[str, Any]:
    """Types and shapes of a batch: tokens [b, t], targets [b, ...], weights [b]."""
    tokens = tf.TensorSpec([None, None], tf.int32)
    return {
        "token_ids": tokens,
        "token_type_ids": tokens,
        "attention_mask": tokens,
        "targets": tf.TensorSpec([None, *split.labels.shape[1:]], split.labels.dtype),
        "weights": tf.TensorSpec([None], tf.float32),
        "weight_sum": tf.TensorSpec([], tf.float32),
        "position": tf.TensorSpec([3], tf.int64),
    }


def _dataset(batches: Callable[[], Iterator[dict[str, Any]]], split: Split) -> tf.data.Dataset:
    dataset = tf.data.Dataset.from_generator(batches, output_signature=batch_signature(split))
    options = tf.data.Options()
    options.deterministic = True
    # There is nothing to tune, and the thread that tunes can miss that its iterator was
    # deleted: whoever deleted it then waits until the thread's next turn, up to a minute.
    options.autotune.enabled = False
    return dataset.prefetch(_PREFETCHED_BATCHES).with_options(options)
