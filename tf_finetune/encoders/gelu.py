"""GELU that keeps only its input for the backward pass."""

import math

import tensorflow as tf


@tf.custom_gradient
def gelu(x: tf.Tensor) -> tuple[tf.Tensor, object]:
    """Gaussian error linear unit, x Phi(x) (Hendrycks & Gimpel 2016), in its exact form.

    TensorFlow's own differentiates the formula piece by piece and keeps four tensors of the
    widest activation of a layer; see docs/findings.md.

    Args:
        x: Any shape.

    Returns:
        A tensor like x.
    """

    def gradient(upstream: tf.Tensor) -> tf.Tensor:
        density = tf.exp(-0.5 * tf.square(x)) * tf.cast(1 / math.sqrt(2 * math.pi), x.dtype)
        return upstream * (_cumulative(x) + x * density)

    return x * _cumulative(x), gradient


def _cumulative(x: tf.Tensor) -> tf.Tensor:
    """Distribution function of the standard normal."""
    return 0.5 * (1.0 + tf.math.erf(x * tf.cast(1 / math.sqrt(2), x.dtype)))
