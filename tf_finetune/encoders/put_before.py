"""Keys and values that attention finds before those of every text."""

import math
from typing import NamedTuple

import tensorflow as tf


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
        keys, values = (self._by_head(rows, query) for rows in self)
        scores = tf.matmul(query, keys, transpose_b=True)
        return Met(scores / tf.cast(math.sqrt(terms * query.shape[-1]), scores.dtype), values)

    def _by_head(self, rows: tf.Variable, query: tf.Tensor) -> tf.Tensor:
        """[1, heads, rows, head_width] in the type of the queries."""
        _, heads, _, width = query.shape
        split = tf.reshape(tf.cast(rows, query.dtype), [1, rows.shape[0], heads, width])
        return tf.transpose(split, [0, 2, 1, 3])
