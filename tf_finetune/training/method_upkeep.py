"""What a step does for a method of fine-tuning beside loss and gradients."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import tensorflow as tf

from tf_finetune.encoders.variables import Variable
from tf_finetune.methods.method import Trained
from tf_finetune.models.classifier import Classifier
from tf_finetune.models.merging import by_matrix
from tf_finetune.training.optimizer_state import OptimizerState

_Added = Sequence[Mapping[str, Trained]]


class MethodUpkeep:
    """Penalty and averages of a method that has some; make it under the strategy's scope.

    Args:
        classifier: The model, to which its method added something.
    """

    def __init__(self, classifier: Classifier):
        self._classifier = classifier
        self._method = classifier.plan.method
        trained = [path for path in classifier.by_path if path in classifier.plan.trainable_paths]
        self._places = {path: place for place, path in enumerate(trained)}
        self._beside = by_matrix((variable, variable) for variable in classifier.plan.added)
        self._averages = {
            variable.path: tuple(map(partial(_average, variable), range(self._method.averages)))
            for variable in classifier.plan.added
        }

    @property
    def averages(self) -> list[tf.Variable]:
        """All that the method keeps from step to step."""
        return [average for averages in self._averages.values() for average in averages]

    def penalty(self) -> tf.Tensor:
        """What is made smaller beside the loss, [] float32."""
        penalty: tf.Tensor = self._method.penalty(
            [{n: self._value(v) for n, v in added.items()} for added in self._beside.values()]
        )
        return penalty

    def after_update(
        self, gradients: Sequence[tf.Tensor], before: tf.Tensor, state: OptimizerState
    ) -> None:
        """Lets the method change what it added; call it on each replica.

        Args:
            gradients: By which the trained variables were updated, the same on each replica.
            before: Updates before this one, [] int64.
            state: The optimiser, after it.
        """
        updates = tf.identity(state.iterations)
        old = [
            {name: self._trained(variable, gradients) for name, variable in added.items()}
            for added in self._beside.values()
        ]
        total_steps = tf.convert_to_tensor(state.schedule.total_steps)
        new = self._method.after_update(old, tf.cast(updates, tf.float32), total_steps)
        variables, values = [], []
        for variable, one, other in self._changes(old, new):
            variables.append(variable)
            # Nothing was updated where the loss scale turned out too large.
            is_done = updates > before
            values.append(tf.where(is_done, other, one) if state.scales_loss else other)

        def assign(strategy: tf.distribute.Strategy, values: list[Any]) -> None:
            for variable, value in zip(variables, values, strict=True):
                strategy.extended.update(variable, _assign, args=(value,), group=False)

        tf.distribute.get_replica_context().merge_call(assign, args=(values,))

    def _changes(
        self, old: _Added, new: _Added
    ) -> Iterator[tuple[tf.Variable, tf.Tensor, tf.Tensor]]:
        """Every variable that gets another value, with the value before and the new one."""
        for added, was, becomes in zip(self._beside.values(), old, new, strict=True):
            for name, v in added.items():
                variables = self._classifier.by_path[v.path], *self._averages[v.path]
                values = ((t.value, *t.averages) for t in (was[name], becomes[name]))
                for variable, one, other in zip(variables, *values, strict=True):
                    if other is not one:
                        yield variable, one, other

    def _value(self, variable: Variable) -> tf.Tensor:
        return tf.convert_to_tensor(self._classifier.by_path[variable.path])

    def _trained(self, variable: Variable, gradients: Sequence[tf.Tensor]) -> Trained:
        averages = tuple(map(tf.convert_to_tensor, self._averages[variable.path]))
        return Trained(self._value(variable), gradients[self._places[variable.path]], averages)


def upkeep_of(classifier: Classifier) -> MethodUpkeep | None:
    """What a step does for the model's method; None: nothing."""
    plan = classifier.plan
    return MethodUpkeep(classifier) if plan.method.averages and plan.added else None


def _average(variable: Variable, number: int) -> tf.Variable:
    name = f"average_{number}/{variable.path.replace('/', '_')}"
    return tf.Variable(tf.zeros(variable.shape), trainable=False, name=name)


def _assign(variable: tf.Variable, value: tf.Tensor) -> tf.Operation:
    return variable.assign(value)
