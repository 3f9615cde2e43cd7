"""Global batches whose rows hold several texts each; see `data/packing.py`."""

import numpy as np

from tf_finetune.data.batch import (
    Batch,
    Consecutive,
    Inputs,
    PackedTexts,
    States,
    Tokens,
    WholeBatch,
)
from tf_finetune.data.packing import PackedBatch, PackedShape
from tf_finetune.data.splits import Split
from tf_finetune.data.states import PrefixStates


def packed_batch(
    split: Split,
    batch: PackedBatch,
    shape: PackedShape,
    example_weights: np.ndarray,
    step: int,
    seed: int = 0,
    states: PrefixStates | None = None,
) -> Batch:
    """Reads the texts of one batch into rows.

    Args:
        split: The examples.
        batch: Where they stand.
        shape: Of the batch; rows that are left over are empty.
        example_weights: Loss weight of each example, float32 [n].
        step: Global step.
        seed: Seed of the run.
        states: What the rows hold instead of tokens. Those of reads alone stand text after text,
            [rows, slots * r, hidden].
    """
    rows, slots = (shape.rows, shape.slots), (batch.rows, batch.slots)
    labels, kept = split.labels[batch.examples], split.lengths[batch.examples]
    targets = np.full((*rows, *labels.shape[1:]), labels[0], labels.dtype)
    targets[slots] = labels
    weights = np.zeros(rows, np.float32)
    weights[slots] = example_weights[batch.examples]
    reads_of_text = split.reads[batch.examples]
    width, starts = shape.row_length, batch.starts
    if states is not None and states.reads_only:
        reads_of_text = states.places_of_reads(batch.examples)
        a_text = reads_of_text.shape[1]
        width, starts, kept = shape.slots * a_text, batch.slots * a_text, np.full_like(kept, a_text)
    reads = np.zeros((*rows, reads_of_text.shape[1]), np.int32)
    reads[slots] = starts[:, None] + reads_of_text
    # Row and column of every token, text after text.
    inside = np.concatenate([np.arange(length) for length in kept])
    place = (np.repeat(batch.rows, kept), np.repeat(starts, kept) + inside)
    source = (np.repeat(np.arange(len(kept)), kept), inside)

    def in_rows(values: np.ndarray) -> np.ndarray:
        """Values of each token, [n, ...], where it stands, [rows, width, ...]."""
        filled = np.zeros((shape.rows, width, *values.shape[1:]), values.dtype)
        filled[place] = values
        return filled

    content: Tokens | States
    longest = int(kept.max())
    if states is not None:
        content = States(in_rows(states.gather(batch.examples, pad_to=longest)[source]))
    else:
        tokens = split.gather(batch.examples, pad_to=longest)
        content = Tokens(in_rows(tokens.token_ids[source]), in_rows(tokens.token_type_ids[source]))
    texts = PackedTexts(
        segment_ids=in_rows(np.repeat(batch.slots + 1, kept).astype(np.int32)),
        positions=in_rows(inside.astype(np.int32)),
        reads=reads.reshape(shape.rows, -1),
    )
    whole = WholeBatch.of(weights, seed, step)
    return Batch(Inputs(content, texts), targets, weights, Consecutive(np.int64(0)), whole)
