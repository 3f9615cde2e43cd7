"""The moving average of the weights, which is what a run keeps while it trains with the others.

Polyak & Juditsky 1992, "Acceleration of Stochastic Approximation by Averaging"; moving, as in
Tarvainen & Valpola 2017, "Mean teachers are better role models".
"""

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from tf_finetune.models.classifier import Classifier
from tf_finetune.training.optimizer_state import OptimizerState


class WeightAverage:
    """Mean of the weights after each update, the later ones counting more.

    The weights of an update count `decay` times as much as those of the next. They are divided by
    what all of them count together, so that the values before the first update have no part in
    it, however few updates there were.

    Make it under the strategy's scope.

    Args:
        classifier: The model.
        decay: Above 0 and below 1.
        begun: For paths that train only since a later phase, at which update they began to.
    """

    def __init__(
        self, classifier: Classifier, decay: float, begun: Mapping[str, tf.Variable] | None = None
    ):
        self._classifier = classifier
        self._decay = decay
        self._begun = begun or {}
        self._averages = {
            path: tf.Variable(
                tf.zeros(variable.shape), trainable=False, name=f"mean_of/{path.replace('/', '_')}"
            )
            for path, variable in classifier.by_path.items()
            if path in classifier.plan.trainable_paths
        }

    @property
    def averages(self) -> list[tf.Variable]:
        """All that is kept from step to step; zeros before the first."""
        return [*self._averages.values()]

    def after_update(self, before: tf.Tensor, state: OptimizerState) -> None:
        """Takes the weights of an update in; call it on each replica.

        Args:
            before: Updates before this one, [] int64.
            state: The optimiser, after it.
        """
        updates = tf.identity(state.iterations)
        # Nothing was updated where the loss scale turned out too large.
        is_done = tf.cast(updates > before, tf.float32)
        shares = {
            path: is_done * self._share(updates - self._begin(path)) for path in self._averages
        }

        def assign(strategy: tf.distribute.Strategy, shares: dict[str, Any]) -> None:
            for path, average in self._averages.items():
                arguments = (self._classifier.by_path[path], shares[path])
                strategy.extended.update(average, _move, args=arguments, group=False)

        tf.distribute.get_replica_context().merge_call(assign, args=(shares,))

    def values(self, state: OptimizerState) -> dict[str, np.ndarray]:
        """Copies of the averages by path, float32; of what was never updated its value.

        Args:
            state: The optimiser.
        """
        updates = int(state.iterations.numpy())
        return {
            path: (average if updates > int(self._begin(path)) else self._weight(path)).numpy()
            for path, average in self._averages.items()
        }

    @contextlib.contextmanager
    def in_place(self, state: OptimizerState) -> Iterator[None]:
        """Gives the model the averages inside the `with` block, and its weights back after it."""
        weights = self._classifier.trainable_values()
        self._classifier.set_values(self.values(state))
        try:
            yield
        finally:
            self._classifier.set_values(weights)

    def _weight(self, path: str) -> tf.Variable:
        return self._classifier.by_path[path]

    def _begin(self, path: str) -> tf.Tensor:
        return tf.convert_to_tensor(self._begun.get(path, tf.zeros([], tf.int64)))

    def _share(self, updates: tf.Tensor) -> tf.Tensor:
        """How much the newest of some updates counts in the mean of all, [] float32."""
        decay = tf.constant(self._decay, tf.float32)
        count = tf.cast(tf.maximum(updates, 1), tf.float32)
        return (1 - decay) / (1 - decay**count)


def _move(average: tf.Variable, weight: tf.Tensor, share: tf.Tensor) -> tf.Operation:
    return average.assign_add(share * (tf.convert_to_tensor(weight) - average))
