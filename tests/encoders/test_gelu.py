"""The GELU that recomputes equals TensorFlow's own, and keeps less."""

import gc
import weakref

import numpy as np
import pytest
import tensorflow as tf

from tf_finetune.encoders.gelu import gelu

pytestmark = pytest.mark.numeric


def test_values_by_hand():
    # Phi(1) = 0.8413447, Phi(-1) = 0.1586553
    np.testing.assert_allclose(
        gelu(tf.constant([0.0, 1.0, -1.0])), [0, 0.8413447, -0.1586553], 1e-6
    )


def test_value_and_gradient_equal_tensorflows_own():
    values = tf.constant(np.linspace(-6, 6, 101), tf.float32)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(values)
        ours, theirs = gelu(values), tf.nn.gelu(values, approximate=False)
    np.testing.assert_allclose(ours, theirs, atol=1e-6)
    gradients = tape.gradient(ours, values), tape.gradient(theirs, values)
    np.testing.assert_allclose(*gradients, atol=1e-6)


def test_half_precision_stays_half_precision():
    assert gelu(tf.constant([1.0], tf.bfloat16)).dtype == tf.bfloat16


def test_graph_that_uses_it_is_not_kept_for_ever():
    variable = tf.Variable(2.0)

    @tf.function
    def slope(x):
        with tf.GradientTape() as tape:
            y = gelu(x) * variable
        return tape.gradient(y, variable)

    graph = weakref.ref(slope.get_concrete_function(tf.constant(1.0)).graph)
    assert slope(tf.constant(0.0)) == 0.0
    assert graph() is not None

    del slope
    gc.collect()

    assert graph() is None
