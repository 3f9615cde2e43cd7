"""Distances between tokens fall into the buckets of PyTorch's MPNet."""

import numpy as np
import tensorflow as tf

from tf_finetune.encoders.distances import Distances, bucket_by_distance

# The first distance of each bucket, as transformers' MPNetModel.relative_position_bucket has it.
FIRST = [*range(8), 8, 12, 16, 23, 32, 46, 64, 91]


def test_buckets_widen_with_the_distance():
    buckets = bucket_by_distance(32, 512)

    expected = np.searchsorted(FIRST, np.arange(512), side="right") - 1
    np.testing.assert_array_equal(buckets[511:], expected + np.where(np.arange(512) > 0, 16, 0))
    np.testing.assert_array_equal(buckets[511::-1], expected)


def test_each_head_has_a_bias_by_distance():
    table = tf.Variable(np.arange(64, dtype=np.float32).reshape(32, 2))

    bias = Distances(table, 5)(tf.constant(3), tf.float32).numpy()

    # Keys behind the query are in the upper half of the buckets.
    of_first_head = 2 * np.array([[0, 17, 18], [1, 0, 17], [2, 1, 0]])
    np.testing.assert_array_equal(bias[0], [of_first_head, of_first_head + 1])
