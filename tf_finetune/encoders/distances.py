"""A bias of attention scores by how far apart two tokens stand, one for all layers.

Raffel et al. 2020, "Exploring the Limits of Transfer Learning": near distances have a bucket
each, far ones share buckets that grow with the distance.
"""

import numpy as np
import tensorflow as tf

_FARTHEST = 128  # beyond which all distances share a bucket


class Distances:
    """The bias by distance.

    Args:
        table: Of each bucket and attention head, [buckets, heads].
        longest: Tokens of the longest row.
    """

    def __init__(self, table: tf.Variable, longest: int):
        self._table = table
        self._longest = longest
        self._buckets = bucket_by_distance(int(table.shape[0]), longest)

    def __call__(self, tokens: tf.Tensor, dtype: tf.DType) -> tf.Tensor:
        """What each query adds to the score of each key, [1, heads, t, t].

        Texts in one row need no positions: what stands in the same text is as far apart in it as
        in the row.

        Args:
            tokens: Of a row, t, int32 [].
            dtype: Of the scores.
        """
        places = tf.range(tokens)
        distance = tf.expand_dims(places, 0) - tf.expand_dims(places, 1)
        buckets = tf.gather(self._buckets, distance + (self._longest - 1))
        values = tf.gather(tf.cast(self._table, dtype), buckets)
        return tf.expand_dims(tf.transpose(values, [2, 0, 1]), 0)


def bucket_by_distance(buckets: int, longest: int) -> np.ndarray:
    """Bucket of each distance from 1 - longest to longest - 1, int32 [2 * longest - 1].

    In float32, because borders of buckets are where PyTorch's rounding has them.

    Args:
        buckets: Half of them are for keys behind the query.
        longest: Tokens of the longest row.
    """
    distance = np.arange(1 - longest, longest)
    side = buckets // 2
    exact = side // 2
    far = np.maximum(np.abs(distance), exact).astype(np.float32)
    scale = np.float32(np.log(_FARTHEST / exact))
    by_logarithm = exact + (np.log(far / exact) / scale * (side - exact)).astype(np.int32)
    size = np.where(np.abs(distance) < exact, np.abs(distance), np.minimum(by_logarithm, side - 1))
    return (size + np.where(distance > 0, side, 0)).astype(np.int32)
