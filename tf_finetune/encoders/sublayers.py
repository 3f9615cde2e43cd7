"""Sublayers and variables of a model of the library, found by the paths of its variables."""

import tensorflow as tf
import tf_keras


class Sublayers:
    """What a built model of the library is made of.

    Args:
        wrapped: The model.

    Attributes:
        variables: All of them by their paths.
        layers: Dense layers and norms, by what the paths of their variables begin with.
    """

    def __init__(self, wrapped: tf_keras.Model):
        self.variables = {variable_path(v): v for v in wrapped.weights}
        kinds = tf_keras.layers.Dense, tf_keras.layers.LayerNormalization
        self.layers = {
            variable_path(layer.weights[0]).rpartition("/")[0]: layer
            for layer in wrapped.submodules
            if isinstance(layer, kinds) and layer.built
        }


def variable_path(variable: tf.Variable) -> str:
    """Name of a variable without the model's own name and the output index."""
    return variable.name.split("/", 1)[1].rsplit(":", 1)[0]
