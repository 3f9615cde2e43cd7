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
from tf_finetune.data.packed_reads import places_of_reads
from tf_finetune.data.packing import PackedBatch, PackedShape
from tf_finetune.data.splits import Split
from tf_finetune.data.states import PrefixStates
from tf_finetune.data.texts_of_rows import texts_of_rows


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
            [rows, places, hidden].
    """
    examples, kept = batch.examples, split.lengths[batch.examples]
    width, starts = shape.row_length, batch.starts
    places = places_of_reads(split, batch, shape)
    reads_of_text = split.reads[examples]
    if states is not None and states.reads_only:
        kept = split.read_counts[examples]
        width, starts = places.width, places.starts
        reads_of_text = states.places_of_reads(examples, reads_of_text.shape[1])
    reads = places.filled(starts[:, None] + reads_of_text, 0)
    targets, weights = split.labels[examples], example_weights[examples]
    if split.task.answers_each_read:
        of_reads = split.task.answer_targets(targets, reads_of_text.shape[1])
        targets = places.filled(of_reads, of_reads[0, 0])
        weights = places.filled(split.task.answer_weights(weights, split.is_read[examples]), 0)
    else:
        slots = (shape.rows, shape.slots), (batch.rows, batch.slots)
        targets, weights = _in_slots(targets, *slots, targets[0]), _in_slots(weights, *slots, 0)
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
    numbers, positions = np.repeat(batch.slots + 1, kept), inside
    if split.task.several_texts:
        of_rows = texts_of_rows(reads_of_text, kept, longest)
        before = np.repeat(batch.slots * reads_of_text.shape[1], kept)
        numbers, positions = before + of_rows.numbers[source], of_rows.positions[source]
    texts = PackedTexts(
        segment_ids=in_rows(numbers.astype(np.int32)),
        positions=in_rows(positions.astype(np.int32)),
        reads=reads.astype(np.int32),
    )
    weights = weights.astype(np.float32)
    whole = WholeBatch.of(weights, seed, step)
    return Batch(Inputs(content, texts), targets, weights, Consecutive(np.int64(0)), whole)


def _in_slots(
    values: np.ndarray,
    shape: tuple[int, int],
    slots: tuple[np.ndarray, np.ndarray],
    empty: np.ndarray | int,
) -> np.ndarray:
    """Values of each text, [n, ...], in its slot, [rows, slots, ...]."""
    filled = np.full((*shape, *values.shape[1:]), empty, values.dtype)
    filled[slots] = values
    return filled
