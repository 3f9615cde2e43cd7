"""GELU that keeps only its input for the backward pass."""

import math

import tensorflow as tf
from tensorflow.python.framework import ops


def gelu(x: tf.Tensor) -> tf.Tensor:
    """Gaussian error linear unit, x Phi(x) (Hendrycks & Gimpel 2016), in its exact form.

    TensorFlow's own differentiates the formula piece by piece and keeps four tensors of the
    widest activation of a layer; see docs/findings.md.

    Args:
        x: Any shape.

    Returns:
        A tensor like x. A `GradientTape` has to be in the same graph as this call.
    """
    # TensorFlow registers each custom gradient in a graph under a name, for ever, and with it the
    # graph and its variables (tensorflow/tensorflow#97697): no model was ever freed. A tape has
    # the gradient itself, and does not look names up.
    registered = ops.gradient_registry._registry
    before = set(registered)
    y = _gelu(x)
    for name in registered.keys() - before:
        del registered[name]
    return y


@tf.custom_gradient
def _gelu(x: tf.Tensor) -> tuple[tf.Tensor, object]:
    def gradient(upstream: tf.Tensor) -> tf.Tensor:
        density = tf.exp(-0.5 * tf.square(x)) * tf.cast(1 / math.sqrt(2 * math.pi), x.dtype)
        return upstream * (_cumulative(x) + x * density)

    return x * _cumulative(x), gradient


def _cumulative(x: tf.Tensor) -> tf.Tensor:
    """Distribution function of the standard normal."""
    return 0.5 * (1.0 + tf.math.erf(x * tf.cast(1 / math.sqrt(2), x.dtype)))
