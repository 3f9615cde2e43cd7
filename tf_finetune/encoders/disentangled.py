"""Attention by what two tokens are and by how far apart they stand.

He et al. 2021, "DeBERTa: Decoding-enhanced BERT with Disentangled Attention": a query asks for keys
and for distances, and a key asks for the distance of the query too. One table of vectors by
distance serves all layers. What a token and all distances make of each other is one product, whose
rows are then shifted; nothing is gathered value by value.
"""

from dataclasses import dataclass

import numpy as np
import tensorflow as tf
import tf_keras

from tf_finetune.encoders.blocks import PostNormLayer, scores_of_queries
from tf_finetune.encoders.dense_and_norm import dense, normalised
from tf_finetune.encoders.dropout import PositionalDropout
from tf_finetune.encoders.encoder import Run
from tf_finetune.encoders.heads import scaled, split_heads

_TERMS = 3  # of a score: token for token, token for distance, distance for token


class DistanceVectors:
    """The table of vectors by distance.

    Args:
        table: [2 * span, hidden].
        norm: Of each vector; None where there is none.
        farthest: From which on all distances share a vector.
        bucketed: Whether others do too; otherwise each has its own.
    """

    def __init__(
        self,
        table: tf.Variable,
        norm: tf_keras.layers.Layer | None,
        farthest: int,
        *,
        bucketed: bool,
    ):
        self._table = table
        self._norm = norm
        self._farthest = farthest
        self._rows = row_by_distance(int(table.shape[0]) // 2, farthest, bucketed=bucketed)

    def vectors(self, dropout: PositionalDropout | None, run: Run, dtype: tf.DType) -> tf.Tensor:
        """The table as a layer reads it, [2 * span, hidden]."""
        table = tf.cast(self._table, dtype)
        if self._norm is not None:
            table = normalised(self._norm, table)
        return table if dropout is None else dropout(table, training=run.training)

    def rows(self, distances: tf.Tensor) -> tf.Tensor:
        """Row of the table for each place of a query minus that of a key, int32 both."""
        near = tf.clip_by_value(distances, -self._farthest, self._farthest)
        return tf.gather(self._rows, near + self._farthest)


def row_by_distance(span: int, farthest: int, *, bucketed: bool) -> np.ndarray:
    """Row of the table for distances from -farthest to farthest, int32 [2 * farthest + 1].

    With buckets, the nearer half of the rows has one for each distance, and in the farther half
    they grow with the distance. In float32, because borders are where PyTorch's rounding has them.

    Args:
        span: Half of the rows.
        farthest: As for `DistanceVectors`.
        bucketed: The same.
    """
    distance = np.arange(-farthest, farthest + 1)
    bucket = distance
    if bucketed:
        exact = span // 2
        size = np.maximum(np.abs(distance), exact)
        scale = np.log(np.float32((farthest - 1) / exact))
        share = np.log(size.astype(np.float32) / np.float32(exact)) / scale
        logarithmic = np.ceil(share * np.float32(exact - 1)).astype(np.int64) + exact
        near = np.abs(distance) <= exact
        bucket = np.where(near, distance, np.sign(distance) * logarithmic)
    return np.clip(bucket + span, 0, 2 * span - 1).astype(np.int32)


@dataclass
class DisentangledLayer(PostNormLayer):
    """A post-norm layer whose scores depend on distances.

    Attributes:
        distance_vectors: Of all layers.
        distance_key: Dense layer of the distances that queries ask for; None: `key`.
        distance_query: Dense layer of the distances that keys ask for; None: `query`.
    """

    terms = _TERMS

    distance_vectors: DistanceVectors
    distance_key: tf_keras.layers.Dense | None
    distance_query: tf_keras.layers.Dense | None

    @property
    def by_head(self) -> tuple[str, ...]:
        """See `PostNormLayer`."""
        own = ("distance_key", "distance_query")
        return (*super().by_head, *(name for name in own if getattr(self, name) is not None))

    def _scores(
        self, query: tf.Tensor, key: tf.Tensor, reads: tf.Tensor | None, run: Run
    ) -> tf.Tensor:
        """See `PostNormLayer`. Tokens of one text are as far apart in it as in their row."""
        with tf.name_scope("distances"):
            tokens = tf.shape(key)[2]
            # How far what is met stands ahead of a token: one more than there are.
            ahead = tf.range(2 * tokens) - (tokens - 1)
            known = self.distance_vectors
            table = known.vectors(self.dropouts.distances, run, query.dtype)

            def made(layer: tf_keras.layers.Dense, distances: tf.Tensor) -> tf.Tensor:
                rows = tf.gather(table, known.rows(distances))[None]
                return split_heads(dense(layer, rows), self.head_width)

            asked = made(self.distance_key or self.key, -ahead)
            by_query = tf.matmul(query, asked, transpose_b=True)
            asking = made(self.distance_query or self.query, ahead)
            by_key = _shifted(tf.matmul(key, asking, transpose_b=True), tokens)
            by_key = tf.transpose(by_key, [0, 1, 3, 2])
            if reads is None:
                by_query = _shifted(by_query, tokens)
            else:
                by_query = _picked(by_query, reads, tokens)
                by_key = scores_of_queries(by_key, reads)
        scores = tf.matmul(query, key, transpose_b=True) + by_query + by_key
        return scaled(scores, self.head_width, self.terms)


def _shifted(x: tf.Tensor, tokens: tf.Tensor) -> tf.Tensor:
    """From [b, heads, t, 2 t] of tokens and distances to [b, heads, t, t] of tokens and tokens.

    Result [i, j] is x[i, t - 1 - i + j]. Rows of 2 t values of which each begins one value earlier
    are rows of 2 t - 1 values of the same memory.
    """
    shape = tf.shape(x)
    flat = tf.reshape(x, [shape[0], shape[1], 2 * tokens * tokens])
    flat = flat[:, :, tokens - 1 : tokens - 1 + tokens * (2 * tokens - 1)]
    rows = tf.reshape(flat, [shape[0], shape[1], tokens, 2 * tokens - 1])
    return rows[:, :, :, :tokens]


def _picked(x: tf.Tensor, reads: tf.Tensor, tokens: tf.Tensor) -> tf.Tensor:
    """As `_shifted` for the reads [b, r] alone, from [b, heads, r, 2 t] to [b, heads, r, t]."""
    columns = tf.expand_dims(tokens - 1 - reads, 2) + tf.range(tokens)
    found = tf.gather(tf.transpose(x, [0, 2, 3, 1]), columns, batch_dims=2)
    return tf.transpose(found, [0, 3, 1, 2])
