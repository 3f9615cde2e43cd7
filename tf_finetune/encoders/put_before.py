"""Keys and values that attention finds before those of every text."""

from typing import NamedTuple

import tensorflow as tf

from tf_finetune.encoders.heads import scaled_scores, split_heads


class Met(NamedTuple):
    """What the queries of a batch meet there.

    Attributes:
        scores: How much each query asks for each key, [b, heads, q, rows].
        values: [1, heads, rows, head_width].
    """

    scores: tf.Tensor
    values: tf.Tensor


class PutBefore(NamedTuple):
    """Keys and values of a layer that belong to no text.

    They have no place, and every token sees them: also those of packed texts and those that look
    back alone.

    Attributes:
        keys: [rows, units of all heads].
        values: The same.
    """

    keys: tf.Variable
    values: tf.Variable

    def met_by(self, query: tf.Tensor, terms: int = 1) -> Met:
        """What queries meet.

        Args:
            query: [b, heads, q, head_width].
            terms: Of a score, by the root of whose number each is divided; keys here have the
                first alone.
        """
        width, dtype = query.shape[-1], query.dtype
        keys, values = (split_heads(tf.cast(rows, dtype)[None], width) for rows in self)
        return Met(scaled_scores(query, keys, terms), values)
