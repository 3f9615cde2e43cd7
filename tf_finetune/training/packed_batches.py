"""Global batches whose rows hold several texts each; see `data/packing.py`."""

from typing import Any

import numpy as np

from tf_finetune.data.packing import PackedBatch, PackedShape
from tf_finetune.data.splits import Split
from tf_finetune.data.states import PrefixStates


def packed_batch(
    split: Split,
    batch: PackedBatch,
    shape: PackedShape,
    example_weights: np.ndarray,
    states: PrefixStates | None = None,
) -> dict[str, Any]:
    """Reads the texts of one batch into rows.

    Args:
        split: The examples.
        batch: Where they stand.
        shape: Of the batch; rows that are left over are empty.
        example_weights: Loss weight of each example, float32 [n].
        states: What the rows hold instead of tokens.

    Returns:
        Inputs as `Classifier.call` takes them, and `targets` and `weights` [rows, slots, ...];
        slots without a text have the weight 0. Where states are of first tokens alone, they
        stand by slot, [rows, slots, hidden].
    """
    rows, slots = (shape.rows, shape.slots), (batch.rows, batch.slots)
    labels, kept = split.labels[batch.examples], split.lengths[batch.examples]
    targets = np.full((*rows, *labels.shape[1:]), labels[0], labels.dtype)
    targets[slots] = labels
    weights = np.zeros(rows, np.float32)
    weights[slots] = example_weights[batch.examples]
    first_tokens = np.zeros(rows, np.int32)
    first_tokens[slots] = batch.starts
    width, starts = shape.row_length, batch.starts
    if states is not None and states.first_token_only:
        width, starts, kept = shape.slots, batch.slots, np.ones_like(kept)
    # Row and column of every token, text after text.
    inside = np.concatenate([np.arange(length) for length in kept])
    place = (np.repeat(batch.rows, kept), np.repeat(starts, kept) + inside)
    source = (np.repeat(np.arange(len(kept)), kept), inside)
    numbers = np.zeros((shape.rows, width), np.int32)
    numbers[place] = np.repeat(batch.slots + 1, kept)
    inputs: dict[str, np.ndarray] = {"attention_mask": numbers, "first_tokens": first_tokens}
    longest = int(kept.max())
    if states is not None:
        values = states.gather(batch.examples, pad_to=longest)
        inputs["states"] = np.zeros((shape.rows, width, values.shape[2]), values.dtype)
        inputs["states"][place] = values[source]
    else:
        tokens = split.gather(batch.examples, pad_to=longest)
        for name in ("token_ids", "token_type_ids", "position_ids"):
            inputs[name] = np.zeros((shape.rows, width), np.int32)
        inputs["token_ids"][place] = tokens.token_ids[source]
        inputs["token_type_ids"][place] = tokens.token_type_ids[source]
        inputs["position_ids"][place] = inside
    return {**inputs, "targets": targets, "weights": weights}
