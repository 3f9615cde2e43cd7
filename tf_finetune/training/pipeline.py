"""`tf.data` pipelines: batches of tokens for a strategy, in an order that can be recomputed.

A global batch is cut into one piece a replica here, by us, and every piece carries where
it stands (seed, step, first row) and the weight of the whole batch. So loss scaling, dropout and
order do not depend on how many replicas there are, and the last, smaller batch counts right.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from tf_finetune.data import Split
from tf_finetune.data.batches import Padding, epoch_batches, evaluation_batches, padded_length

_PREFETCHED_STEPS = 4


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

    def piece_rows(self, examples: int) -> int:
        """Rows of each replica's piece of a batch with this many examples."""
        rows = self.batch_size if self.fixed_rows else examples
        pieces = self.replicas * self.micro_batches
        return -(-rows // pieces) * self.micro_batches


def training_dataset(
    split: Split,
    example_weights: np.ndarray,
    shape: BatchShape,
    *,
    seed: int,
    first_step: int,
    last_step: int,
) -> tf.data.Dataset:
    """Pieces of the steps `first_step` to `last_step` (exclusive), replica by replica.

    Args:
        split: The training examples.
        example_weights: Loss weight of each example, float32 [n].
        shape: How batches are cut and padded.
        seed: With the epoch, it determines the order.
        first_step: Global step to start at; earlier epochs are skipped without reading.
        last_step: Global step to stop before.

    Returns:
        Elements as `piece_signature` describes.
    """

    def pieces() -> Iterator[dict[str, np.ndarray]]:
        steps = steps_per_epoch(len(split), shape.batch_size)
        epoch, batches = -1, []
        for step in range(first_step, last_step):
            if step // steps != epoch:
                epoch = step // steps
                batches = epoch_batches(split.lengths, shape.batch_size, seed=seed, epoch=epoch)
            rows = batches[step % steps]
            yield from cut_batch(split, rows, example_weights, shape, step, seed)

    return _dataset(pieces, split, shape)


def evaluation_dataset(split: Split, shape: BatchShape) -> tf.data.Dataset:
    """Pieces that hold every example of a split once, in `evaluation_order`."""
    weights = np.ones(len(split), np.float32)

    def pieces() -> Iterator[dict[str, np.ndarray]]:
        for step, rows in enumerate(evaluation_batches(split.lengths, shape.batch_size)):
            yield from cut_batch(split, rows, weights, shape, step)

    return _dataset(pieces, split, shape)


def evaluation_order(split: Split, shape: BatchShape) -> np.ndarray:
    """Example of every row of `evaluation_dataset`, -1 for rows that only fill up. int64."""
    order = []
    for rows in evaluation_batches(split.lengths, shape.batch_size):
        filled = np.full(shape.piece_rows(len(rows)) * shape.replicas, -1, np.int64)
        filled[: len(rows)] = rows
        order.append(filled)
    return np.concatenate(order)


def steps_per_epoch(examples: int, batch_size: int) -> int:
    """Optimiser steps of an epoch; the last batch may be smaller."""
    return -(-examples // batch_size)


def cut_batch(
    split: Split,
    rows: np.ndarray,
    example_weights: np.ndarray,
    shape: BatchShape,
    step: int,
    seed: int = 0,
) -> Iterator[dict[str, Any]]:
    """Reads one global batch and yields one piece a replica.

    Rows that fill up a piece repeat the first example with weight 0.
    """
    longest = int(split.lengths[rows].max())
    length = padded_length(longest, shape.padding, shape.max_length)
    length += length % 2  # what positional dropout needs
    piece = shape.piece_rows(len(rows))
    filler = np.repeat(rows[:1], piece * shape.replicas - len(rows))
    filled = np.concatenate([rows, filler])
    weights = example_weights[filled].astype(np.float32)
    weights[len(rows) :] = 0.0
    total = weights.sum(dtype=np.float64)
    tokens = split.gather(filled, pad_to=length)
    for first in range(0, len(filled), piece):
        part = slice(first, first + piece)
        yield {
            "token_ids": tokens.token_ids[part],
            "token_type_ids": tokens.token_type_ids[part],
            "attention_mask": tokens.attention_mask[part],
            "targets": split.labels[filled[part]],
            "weights": weights[part],
            "weight_sum": np.float32(total),
            "position": np.array([seed, step, first], np.int64),
        }


def piece_signature(split: Split) -> dict[str, Any]:
    """Types and shapes of a piece: tokens [b, t], targets [b, ...], weights [b]."""
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


def _dataset(pieces: Any, split: Split, shape: BatchShape) -> tf.data.Dataset:
    dataset = tf.data.Dataset.from_generator(pieces, output_signature=piece_signature(split))
    options = tf.data.Options()
    options.deterministic = True
    # Pieces are already made for each replica: nothing may cut or shard them again.
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.OFF
    return dataset.with_options(options).prefetch(_PREFETCHED_STEPS * shape.replicas)


def distribute(
    strategy: tf.distribute.Strategy, dataset: tf.data.Dataset
) -> tf.distribute.DistributedDataset:
    """Hands the pieces to the replicas in order, unchanged."""
    return strategy.distribute_datasets_from_function(lambda _context: dataset)
