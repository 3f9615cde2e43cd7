"""A weighted mean over the steps of an epoch."""

import tensorflow as tf


class RunningMean:
    """Adds up a value that is the same on all replicas; each keeps the sum for itself.

    Keras' own metric keeps a different part on each replica, so that reading it is a sum over all
    processes: one that wants to save its state would wait for the others.
    """

    def __init__(self) -> None:
        options = {
            "trainable": False,
            "synchronization": tf.VariableSynchronization.ON_WRITE,
            "aggregation": tf.VariableAggregation.NONE,
        }
        self.variables = [
            tf.Variable(0.0, name=f"mean_{part}", **options) for part in ("sum", "of")
        ]

    def add(self, value: tf.Tensor, weight: tf.Tensor) -> None:
        """Adds a value, [] float32, with its weight; on a replica."""
        total, weights = self.variables
        total.assign_add(value * weight)
        weights.assign_add(weight)

    def result(self) -> tf.Tensor:
        """The mean so far, [] float32; 0 of nothing."""
        total, weights = self.variables
        return tf.math.divide_no_nan(total, weights)

    def reset(self) -> None:
        """Starts anew."""
        for variable in self.variables:
            variable.assign(0.0)
