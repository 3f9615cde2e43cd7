"""Dense layers and norms of the library's model, computed from their variables.

A Keras layer's call casts, checks, names and converts, and a dense layer handles every rank: that
was most of the time of tracing a small model. The values are those of the layer's call.
"""

import tensorflow as tf
import tf_keras


def dense(layer: tf_keras.layers.Dense, x: tf.Tensor) -> tf.Tensor:
    """What a dense layer gives, [..., width] to [..., units], in its type of computing."""
    kernel = tf.cast(layer.kernel, layer.compute_dtype)
    width, units = kernel.shape
    with tf.name_scope(layer.name):
        rows = tf.reshape(tf.cast(x, kernel.dtype), [-1, width])
        result = tf.matmul(rows, kernel)
        if layer.bias is not None:
            result = tf.nn.bias_add(result, tf.cast(layer.bias, kernel.dtype))
        result = tf.reshape(result, tf.concat([tf.shape(x)[:-1], [units]], axis=0))
        return result if layer.activation is None else layer.activation(result)


def normalised(layer: tf_keras.layers.LayerNormalization, x: tf.Tensor) -> tf.Tensor:
    """What a layer norm gives, [..., width] both, in its type of computing."""
    x = tf.cast(x, layer.compute_dtype)
    with tf.name_scope(layer.name):
        # Not in 16 bits, which would round mean and variance to 3 digits.
        exact = tf.cast(x, tf.float32) if x.dtype.size < 4 else x
        mean, variance = tf.nn.moments(exact, -1, keepdims=True)
        result = tf.nn.batch_normalization(
            exact, mean, variance, layer.beta, layer.gamma, layer.epsilon
        )
        return tf.cast(result, x.dtype)
