import numpy as np
import pytest
import tensorflow as tf

from tf_finetune.encoders.blocks import attended, scaled_scores, split_heads
from tf_finetune.encoders.dropout import PositionalDropout
from tf_finetune.encoders.encoder import MASKED_SCORE, Run
from tf_finetune.encoders.put_before import PutBefore

pytestmark = pytest.mark.numeric

HEADS, WIDTH = 2, 3


def drawn(*shape):
    return np.random.default_rng(len(shape)).normal(size=shape).astype(np.float32)


def test_rows_before_are_keys_and_values_that_everybody_sees():
    query, key, value = (tf.constant(drawn(2, 4, HEADS * WIDTH) + part) for part in range(3))
    before = drawn(5, HEADS * WIDTH), drawn(5, HEADS * WIDTH) - 1
    mask = tf.constant([[0, 0, 0, 0], [0, 0, MASKED_SCORE, MASKED_SCORE]])[:, None, None]

    def seen(key, value, mask, met=None):
        key, value = split_heads(key, WIDTH), split_heads(value, WIDTH)
        scores = scaled_scores(split_heads(query, WIDTH), key) + mask
        return attended(scores, value, PositionalDropout(0.0, 0), Run(), met)

    met = PutBefore(*before).met_by(split_heads(query, WIDTH))
    found = seen(key, value, mask, met)

    longer = (
        tf.concat([tf.repeat(rows[None], 2, axis=0), own], axis=1)
        for rows, own in zip(before, (key, value), strict=True)
    )
    whole = tf.pad(mask, [[0, 0], [0, 0], [0, 0], [5, 0]])
    np.testing.assert_allclose(found, seen(*longer, whole), atol=1e-6, rtol=0)
    assert not np.allclose(found, seen(key, value, mask), atol=1e-3)


def test_scores_of_several_terms_have_the_first_alone():
    query = tf.constant(drawn(1, HEADS, 1, WIDTH))
    keys = drawn(4, HEADS * WIDTH)

    one, three = (PutBefore(keys, keys).met_by(query, terms).scores for terms in (1, 3))

    np.testing.assert_allclose(three, one / np.sqrt(3, dtype=np.float32), atol=1e-6, rtol=0)
