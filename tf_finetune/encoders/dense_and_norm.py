"""Dense layers and norms of the library's model, computed from their variables.

A Keras layer's call casts, checks, names and converts, and a dense layer handles every rank: that
was most of the time of tracing a small model. The values are those of the layer's call.
"""

from dataclasses import dataclass

import numpy as np
import tensorflow as tf
import tf_keras

from tf_finetune.encoders.affine import Affine, Change

_ALL = slice(None)


@dataclass(frozen=True)
class ChangedDense:
    """A dense layer that gives what a method makes of it.

    Attributes:
        layer: As it was.
        change: The method's.
    """

    layer: tf_keras.layers.Dense
    change: Change


def dense(
    layer: tf_keras.layers.Dense | ChangedDense, x: tf.Tensor, *, training: bool = False
) -> tf.Tensor:
    """What a dense layer gives, [..., width] to [..., units], in its type of computing.

    Args:
        layer: The layer.
        x: What goes in.
        training: Whether a method that changes it drops units.
    """
    own, change = (layer.layer, layer.change) if isinstance(layer, ChangedDense) else (layer, None)
    with tf.name_scope(own.name):
        affine = Affine(own.kernel, own.bias, own.compute_dtype)
        result = affine(x) if change is None else change(affine, x, training=training)
        return result if own.activation is None else own.activation(result)


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
