"""What is read of a text is what NumPy makes of its states, packed or not."""

import numpy as np
import pytest
import tensorflow as tf

from tf_finetune.data.batch import PackedTexts, Texts
from tf_finetune.models.pooling import pooled, reads_of

pytestmark = pytest.mark.numeric

# Two texts of three tokens and one, in rows of their own and in one row, of two numbers a token.
STATES = [[[1.0, -6.0], [3.0, -2.0], [2.0, -1.0]], [[-7.0, 5.0]]]
EXPECTED = {
    "first": [[1.0, -6.0], [-7.0, 5.0]],
    "mean": [[2.0, -3.0], [-7.0, 5.0]],
    "max": [[3.0, -1.0], [-7.0, 5.0]],
    "last": [[2.0, -1.0], [-7.0, 5.0]],
}
PADDING = [9.0, 9.0]  # larger than all


def rows():
    states = [STATES[0], [*STATES[1], PADDING, PADDING]]
    mask = tf.constant([[1, 1, 1], [1, 0, 0]])
    return tf.constant(states), Texts(mask, tf.zeros((2, 1), tf.int32))


def packed(places=4):
    """Both texts in the first row, nothing in the second; room for more texts than there are."""
    states = [[*STATES[0], *STATES[1], PADDING], [PADDING] * 5]
    segments = tf.constant([[1, 1, 1, 2, 0], [0] * 5])
    reads = tf.constant([[0, 3] + [0] * (places - 2), [0] * places])
    return tf.constant(states), PackedTexts(segments, tf.zeros_like(segments), reads)


@pytest.mark.parametrize("pooling", EXPECTED)
def test_a_text_in_a_row_of_its_own(pooling):
    states, texts = rows()

    found = pooled(pooling, states, texts)

    np.testing.assert_allclose(found[:, 0], EXPECTED[pooling], rtol=1e-6)


@pytest.mark.parametrize("pooling", EXPECTED)
def test_texts_that_share_a_row(pooling):
    states, texts = packed()

    found = pooled(pooling, states, texts)

    np.testing.assert_allclose(found[0, :2], EXPECTED[pooling], rtol=1e-6)
    assert found.shape == (2, 4, 2)
    assert np.isfinite(found).all()  # also where no text is


@pytest.mark.parametrize("pooling", EXPECTED)
@pytest.mark.parametrize("make", [rows, packed])
def test_gradients_reach_what_was_read_and_no_padding(pooling, make):
    states, texts = make()
    with tf.GradientTape() as tape:
        tape.watch(states)
        read = pooled(pooling, states, texts)
        # Of the first text alone.
        loss = tf.reduce_sum(read[0, 0] * [1.0, 10.0])
    found = tape.gradient(loss, states).numpy()[0]

    expected = np.zeros_like(found)
    if pooling == "mean":
        expected[:3] = np.array([1.0, 10.0]) / 3
    else:
        read_at = {"first": (0, 0), "last": (2, 2), "max": (1, 2)}[pooling]
        expected[read_at, (0, 1)] = [1.0, 10.0]
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_last_tokens_are_found_behind_padding_on_either_side():
    texts = Texts(tf.constant([[0, 1, 1, 0], [1, 1, 1, 1]]), tf.zeros((2, 1), tf.int32))

    assert reads_of("last", texts).numpy().tolist() == [[2], [3]]
    assert reads_of("last", packed()[1]).numpy().tolist() == [[2, 3, 0, 0], [0, 0, 0, 0]]
    assert reads_of("mean", texts) is reads_of("max", texts) is None


def test_the_largest_of_a_padded_text_pass_their_gradient_on_whole():
    states, texts = rows()
    with tf.GradientTape() as tape:
        tape.watch(states)
        loss = tf.reduce_sum(pooled("max", states, texts)[1] * [1.0, 10.0])

    found = tape.gradient(loss, states).numpy()[1]

    np.testing.assert_allclose(found, [[1.0, 10.0], [0.0, 0.0], [0.0, 0.0]], rtol=1e-6)


@pytest.mark.parametrize("dtype", [tf.bfloat16, tf.float16])
def test_a_mean_of_many_half_precision_states_is_summed_in_float32(dtype):
    states = tf.ones((1, 3000, 2), dtype)  # adding one by one in half precision ends early

    found = pooled("mean", states, Texts(tf.ones((1, 3000), tf.int32), tf.zeros((1, 1), tf.int32)))

    assert found.dtype == dtype
    np.testing.assert_array_equal(tf.cast(found, tf.float32), np.ones((1, 1, 2)))


@pytest.mark.parametrize("pooling", ["mean", "max", "last"])
def test_xla_computes_the_same(pooling):
    states, texts = packed()

    found = tf.function(pooled, jit_compile=True, autograph=False)(pooling, states, texts)

    np.testing.assert_allclose(found, pooled(pooling, states, texts), rtol=1e-6)
