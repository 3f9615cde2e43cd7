"""A batch and its parts, told apart by type: a traced function knows them before their values.

Arrays are NumPy's where a batch is read, TensorFlow's where it is computed with, and specs in a
signature. In shapes, b are rows, t tokens of a row, s texts of a row and r reads of a row.
"""

from typing import Any, NamedTuple

import numpy as np

Array = Any


class Tokens(NamedTuple):
    """What a row says: the encoder begins with its embeddings.

    Attributes:
        ids: Token ids, int32 [b, t].
        type_ids: 1 for the second text of a pair, else 0, int32 [b, t].
    """

    ids: Array
    type_ids: Array


class States(NamedTuple):
    """What lower layers made of a row.

    Attributes:
        values: [b, t, hidden]; above the last layer those of the reads alone, [b, r, hidden].
    """

    values: Array


class Texts(NamedTuple):
    """Every row is one text.

    Attributes:
        mask: 1 for tokens, 0 for padding, int32 [b, t].
        reads: Positions whose final states the head needs, int32 [b, r].
    """

    mask: Array
    reads: Array


class PackedTexts(NamedTuple):
    """A row holds several texts, which do not see each other.

    Attributes:
        segment_ids: Number of each token's text in its row, from 1; 0 for padding. int32 [b, t].
        positions: Position of each token in its text, int32 [b, t].
        reads: Positions in the row whose final states the head needs, text after text,
            int32 [b, r].
    """

    segment_ids: Array
    positions: Array
    reads: Array


class Inputs(NamedTuple):
    """What a model answers to.

    Attributes:
        content: Tokens, or the states at the frozen boundary.
        texts: Which of a row's tokens belong together, and which are read.
    """

    content: Tokens | States
    texts: Texts | PackedTexts


class Consecutive(NamedTuple):
    """The rows follow each other in the global batch.

    Attributes:
        first: Place of the first, int64 [].
    """

    first: Array


class Scattered(NamedTuple):
    """The rows are some of a global batch, of which other processes have the others.

    Attributes:
        places: Place of each, int32 [b].
        count: Rows of the global batch, int32 [].
    """

    places: Array
    count: Array


class WholeBatch(NamedTuple):
    """What every piece of a global batch has to know of it.

    Attributes:
        seed: Seed of the run, int64 [].
        step: Global step, int64 [].
        weight_sum: Weight of all its answers, float32 [].
    """

    seed: Array
    step: Array
    weight_sum: Array

    @classmethod
    def of(cls, weights: np.ndarray, seed: int, step: int) -> "WholeBatch":
        """Of the batch with these weights, which are summed in float64."""
        total = weights.astype(np.float32).sum(dtype=np.float64)
        # Of a batch in which nothing is read the loss is 0.
        return cls(np.int64(seed), np.int64(step), np.float32(total or 1.0))


class Batch(NamedTuple):
    """A global batch, or the rows of one that are computed together.

    Attributes:
        inputs: What the model answers to.
        targets: What it should answer, [b, s, ...]: to each text of a row, or to each read.
        weights: Of each answer in the loss, float32 [b, s]; 0 where a place is empty.
        place: Where the rows stand in the global batch.
        whole: Of the global batch.
    """

    inputs: Inputs
    targets: Array
    weights: Array
    place: Consecutive | Scattered
    whole: WholeBatch


def text_rows(
    token_ids: Array, token_type_ids: Array, attention_mask: Array, reads: Array | None = None
) -> Inputs:
    """Texts that have a row each.

    Args:
        token_ids: int32 [b, t].
        token_type_ids: int32 [b, t].
        attention_mask: int32 [b, t].
        reads: Positions that the head reads, int32 [b, r]; None: the first.
    """
    if reads is None:
        reads = 0 * attention_mask[:, :1]
    return Inputs(Tokens(token_ids, token_type_ids), Texts(attention_mask, reads))
