"""Logits of a whole split, every example exactly once and in its own order."""

import numpy as np
import tf_keras

from tf_finetune.data import Split
from tf_finetune.training.pipeline import (
    BatchShape,
    distribute,
    evaluation_dataset,
    evaluation_order,
)
from tf_finetune.training.strategy import ChosenStrategy


def predict_logits(
    model: tf_keras.Model, split: Split, shape: BatchShape, chosen: ChosenStrategy
) -> np.ndarray:
    """Computes the logits of every example of a split.

    Args:
        model: A compiled `FineTuner`.
        split: The examples; labels are not looked at.
        shape: How batches are cut; `shape.replicas` must be the strategy's.
        chosen: The strategy the model was built under.

    Returns:
        Logits float32 [n, labels], in the order of the split.
    """
    order = evaluation_order(split, shape)
    dataset = distribute(chosen.strategy, evaluation_dataset(split, shape))
    steps = -(-len(split) // shape.batch_size)
    rows = model.predict(dataset, steps=steps, verbose=0)
    logits = np.empty((len(split), rows.shape[1]), np.float32)
    logits[order[order >= 0]] = rows[order >= 0]
    return logits
