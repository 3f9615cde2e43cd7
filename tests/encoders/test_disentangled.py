"""Distances between tokens have the vectors that PyTorch's DeBERTa gives them."""

import numpy as np

from tf_finetune.encoders.disentangled import row_by_distance

# The first distance of each bucket from 9 to 16, as make_log_bucket_position of transformers'
# DebertaV2Model has it for 16 of them and distances up to 64.
FIRST = [9, 11, 15, 20, 27, 35, 47, 64]


def test_far_distances_share_vectors():
    rows = row_by_distance(16, 64, bucketed=True)

    distance = np.arange(65)
    bucket = np.where(distance <= 8, distance, 8 + np.searchsorted(FIRST, distance, side="right"))
    np.testing.assert_array_equal(rows[64:], np.minimum(16 + bucket, 31))
    np.testing.assert_array_equal(rows[64::-1], 16 - bucket)


def test_without_buckets_each_distance_has_a_vector():
    assert row_by_distance(3, 3, bucketed=False).tolist() == [0, 1, 2, 3, 4, 5, 5]
