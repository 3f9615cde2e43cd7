"""Lets an optimiser of Keras give each variable a learning rate of its own."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import tensorflow as tf
import tf_keras


class RateOfEach(tf_keras.optimizers.Optimizer):
    """Stands before an optimiser's class and scales its learning rate, variable by variable.

    Gradients cannot be scaled in its place: Adam's steps do not depend on their size. Decoupled
    weight decay is a multiple of the rate and so is scaled along.
    """

    _factors: dict[str, float] | None = None
    _factor: float | None = None  # of the variable that is being updated

    def set_rate_factors(self, factors: Iterable[tuple[tf.Variable, float]]) -> None:
        """Sets the multiple of the learning rate that each variable gets; of all others it is 1.

        Args:
            factors: Variables and their factors; call it before a step is traced.
        """
        different = {self._var_key(variable): factor for variable, factor in factors if factor != 1}
        self._factors = different or None

    @property
    def learning_rate(self) -> Any:
        """The rate of the step and, within an update, of the variable."""
        rate = super().learning_rate
        return rate if self._factor is None else rate * self._factor

    def update_step(self, gradient: tf.Tensor, variable: tf.Variable) -> None:
        """Updates one variable at its own rate."""
        with self._at(self._factor_of(variable)):
            super().update_step(gradient, variable)

    def _apply_weight_decay(self, variables: Sequence[tf.Variable]) -> None:
        groups: dict[float | None, list[tf.Variable]] = {}
        for variable in variables:
            groups.setdefault(self._factor_of(variable), []).append(variable)
        for factor, alike in groups.items():
            with self._at(factor):
                super()._apply_weight_decay(alike)

    def _factor_of(self, variable: tf.Variable) -> float | None:
        return None if self._factors is None else self._factors.get(self._var_key(variable))

    @contextmanager
    def _at(self, factor: float | None) -> Iterator[None]:
        # Replicas take turns: each sets its factor again before it waits for the others.
        self._factor = factor
        try:
            yield
        finally:
            self._factor = None
