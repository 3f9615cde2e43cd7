"""Logits or vectors of a whole split, every example exactly once and in its own order."""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from tf_finetune.data.splits import Split
from tf_finetune.data.states import PrefixStates
from tf_finetune.training.fine_tuner import FineTuner
from tf_finetune.training.pipeline import (
    BatchShape,
    evaluation_dataset,
    evaluation_order,
    steps_per_epoch,
)


def predict_logits(
    model: FineTuner, split: Split, shape: BatchShape, states: PrefixStates | None = None
) -> np.ndarray:
    """Computes the logits of every example of a split.

    Args:
        model: A compiled `FineTuner`.
        split: The examples; labels are not looked at.
        shape: How batches are cut; `shape.replicas` must be those of the model's strategy.
        states: The split's states at the frozen boundary, where they are cached.

    Returns:
        Logits float32 [n, r * labels], in the order of the split: read after read, 0 of those
        that a row does not have.
    """
    return _in_own_order(model.predict, split, shape, states)


def split_vectors(
    model: FineTuner, split: Split, shape: BatchShape, states: PrefixStates | None = None
) -> np.ndarray:
    """What the head gets of every example of a split, float32 [n, hidden]; see `predict_logits`."""
    return _in_own_order(model.head_vectors, split, shape, states)


def _in_own_order(
    compute: Callable[[tf.data.Dataset, int], np.ndarray],
    split: Split,
    shape: BatchShape,
    states: PrefixStates | None,
) -> np.ndarray:
    order = evaluation_order(split, shape, states)
    steps = steps_per_epoch(len(split), shape.batch_size)
    rows = compute(evaluation_dataset(split, shape, states), steps)
    reads = split.reads.shape[1]
    computed = reads if shape.fixed_rows else int(split.read_counts.max())
    width = rows.shape[1] // computed
    found = np.zeros((len(split), reads, width), np.float32)
    found[order[order >= 0], :computed] = rows[order >= 0].reshape(-1, computed, width)
    # Places without a read were computed all the same, of the first token.
    found[~split.is_read] = 0.0
    return found.reshape(len(split), -1)
