"""Dense layers and norms of the library's model, computed from their variables.

A Keras layer's call casts, checks, names and converts, and a dense layer handles every rank: that
was most of the time of tracing a small model. The values are those of the layer's call.
"""

import numpy as np
import tensorflow as tf
import tf_keras

_ALL = slice(None)


def dense(layer: tf_keras.layers.Dense, x: tf.Tensor) -> tf.Tensor:
    """What a dense layer gives, [..., width] to [..., units], in its type of computing."""
    with tf.name_scope(layer.name):
        result = product(layer.kernel, layer.bias, x, layer.compute_dtype)
        return result if layer.activation is None else layer.activation(result)


def narrowed(
    layer: tf_keras.layers.Dense,
    rows: np.ndarray | slice = _ALL,
    units: np.ndarray | slice = _ALL,
) -> tf_keras.layers.Dense:
    """A built layer that has some rows and units of another one's matrix.

    Args:
        layer: The other one; it has a bias.
        rows: Numbers of the inputs that it reads.
        units: Numbers of the outputs that it gives.
    """
    kernel, bias = layer.kernel.numpy()[rows][:, units], layer.bias.numpy()[units]
    narrow = tf_keras.layers.Dense.from_config({**layer.get_config(), "units": len(bias)})
    narrow.build([None, None, len(kernel)])
    narrow.kernel.assign(kernel)
    narrow.bias.assign(bias)
    return narrow


def product(
    kernel: tf.Tensor, bias: tf.Tensor | None, x: tf.Tensor, dtype: str | tf.DType
) -> tf.Tensor:
    """What a matrix and a bias give, [..., width] to [..., units], in a type of computing.

    Args:
        kernel: [width, units].
        bias: [units]; None: 0.
        x: [..., width].
        dtype: In which all of it is computed.
    """
    kernel = tf.cast(kernel, dtype)
    width, units = kernel.shape
    result = tf.matmul(tf.reshape(tf.cast(x, dtype), [-1, width]), kernel)
    if bias is not None:
        result = tf.nn.bias_add(result, tf.cast(bias, dtype))
    return tf.reshape(result, tf.concat([tf.shape(x)[:-1], [units]], axis=0))


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
