"""Logits or vectors of a whole split, every example exactly once and in its own order."""

import numpy as np

from tf_finetune.data.splits import Split
from tf_finetune.data.states import PrefixStates
from tf_finetune.training.fine_tuner import FineTuner
from tf_finetune.training.pipeline import (
    BatchShape,
    evaluation_dataset,
    evaluation_order,
    reads_of_batch,
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
    order = evaluation_order(split, shape, states)
    steps = steps_per_epoch(len(split), shape.batch_size)
    rows = model.predict(evaluation_dataset(split, shape, states), steps)
    computed = reads_of_batch(split, shape, np.arange(len(split)))
    width = rows.shape[1] // computed
    found = np.zeros((len(split), split.is_read.shape[1], width), np.float32)
    found[order[order >= 0], :computed] = rows[order >= 0].reshape(-1, computed, width)
    # Places without a read were computed all the same, of the first token.
    found[~split.is_read] = 0.0
    return found.reshape(len(split), -1)


def split_vectors(
    model: FineTuner, split: Split, shape: BatchShape, states: PrefixStates | None = None
) -> np.ndarray:
    """What the head gets of every read of a split, float32 [reads, hidden], row after row.

    The arguments are those of `predict_logits`.
    """
    order = evaluation_order(split, shape, states)
    steps = steps_per_epoch(len(split), shape.batch_size)
    counts = split.is_read.sum(axis=1)
    starts = np.cumsum(counts) - counts
    found: np.ndarray | None = None
    row = 0
    for batch in model.head_vectors(evaluation_dataset(split, shape, states), steps):
        places = order[row : row + len(batch)]
        row += len(batch)
        reads = reads_of_batch(split, shape, places[places >= 0])
        vectors = batch.reshape(len(batch), reads, -1)
        if found is None:
            found = np.empty((int(counts.sum()), vectors.shape[2]), np.float32)
        for place, of_row in zip(places, vectors, strict=True):
            if place >= 0:
                start, is_read = starts[place], split.is_read[place, :reads]
                found[start : start + counts[place]] = of_row[is_read]
    assert found is not None, "a split has examples"
    return found
