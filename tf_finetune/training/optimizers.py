"""Builds the optimiser and its learning-rate schedule."""

import math
from collections.abc import Iterable, Sequence
from typing import Any

import tensorflow as tf
import tf_keras

from tf_finetune.encoders.variables import Kind
from tf_finetune.options.training import TrainingConfig
from tf_finetune.training.variable_rates import RateOfEach

# Kinds of variables that weight decay leaves alone (Devlin et al. 2019); what a method added
# begins small and is bounded by its rank.
NOT_DECAYED: tuple[Kind, ...] = ("bias", "norm", "added")


class WarmupSchedule(tf_keras.optimizers.schedules.LearningRateSchedule):
    """Linear warm-up from 0 to the peak, then linear or cosine decay to 0, or constant.

    Peak and lengths are variables, so that one traced step serves runs with other rates.

    Args:
        shape: "linear", "cosine" or "constant".
    """

    def __init__(self, shape: str):
        self.shape = shape
        self._peak = tf.Variable(0.0, trainable=False)
        self._total_steps = tf.Variable(1.0, trainable=False)
        self._warmup_steps = tf.Variable(0.0, trainable=False)

    def set(self, peak: float, total_steps: int, warmup_steps: int) -> None:
        """Sets the schedule of a run.

        Args:
            peak: Learning rate at the end of the warm-up.
            total_steps: Optimiser steps of the whole run.
            warmup_steps: Steps of the warm-up.
        """
        self._peak.assign(peak)
        self._total_steps.assign(total_steps)
        self._warmup_steps.assign(warmup_steps)

    @property
    def total_steps(self) -> tf.Variable:
        """Optimiser steps of the whole run, [] float32."""
        return self._total_steps

    def halve(self) -> None:
        """Halves the peak for the rest of the run."""
        self._peak.assign(self._peak * 0.5)

    def __call__(self, step: tf.Tensor) -> tf.Tensor:
        """Learning rate of the step with this number, counted from 0."""
        step = tf.cast(step, tf.float32)
        # The step after the current one: the first step of all would otherwise have rate 0.
        rising = (step + 1) / tf.maximum(self._warmup_steps, 1)
        left = tf.maximum(self._total_steps - self._warmup_steps, 1)
        done = tf.clip_by_value((step - self._warmup_steps) / left, 0.0, 1.0)
        if self.shape == "linear":
            falling = 1 - done
        elif self.shape == "cosine":
            falling = 0.5 * (1 + tf.cos(math.pi * done))
        else:
            falling = tf.ones_like(done)
        return self._peak * tf.where(step < self._warmup_steps, rising, falling)

    def get_config(self) -> dict[str, Any]:
        """Arguments that make the same schedule again."""
        return {"shape": self.shape}


class FusedAdamW(tf_keras.optimizers.AdamW):
    """AdamW (Loshchilov & Hutter 2019) whose update is one kernel a variable.

    The same arithmetic as its parent, which computes it in eight passes over memory with as
    many temporary tensors; see docs/findings.md for what that costs.
    """

    _begun: dict[str, tf.Variable] | None = None

    def set_begun(self, begun: Iterable[tuple[tf.Variable, tf.Variable]]) -> None:
        """Sets from which update on variables train that do not from the first.

        The first updates of Adam would be three times as long if their moments, which begin at 0,
        were taken for those of a late step.

        Args:
            begun: Variables, each with the number of updates before its first, [] int64.
        """
        self._begun = {self._var_key(variable): count for variable, count in begun} or None

    def update_step(self, gradient: tf.Tensor, variable: tf.Variable) -> None:
        """Updates one variable from its dense gradient; decay has been applied before."""
        index = self._index_dict[self._var_key(variable)]
        before = self._begun.get(self._var_key(variable)) if self._begun else None
        updates = self.iterations if before is None else self.iterations - before
        step = tf.cast(updates + 1, variable.dtype)
        beta_1, beta_2 = (tf.cast(beta, variable.dtype) for beta in (self.beta_1, self.beta_2))
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[index].handle,
            v=self._velocities[index].handle,
            beta1_power=tf.pow(beta_1, step),
            beta2_power=tf.pow(beta_2, step),
            lr=tf.cast(self.learning_rate, variable.dtype),
            beta1=beta_1,
            beta2=beta_2,
            epsilon=tf.cast(self.epsilon, variable.dtype),
            grad=gradient,
        )


class _AdamW(RateOfEach, FusedAdamW):
    pass


class _Sgd(RateOfEach, tf_keras.optimizers.SGD):
    pass


class _Adafactor(RateOfEach, tf_keras.optimizers.Adafactor):
    pass


def warmup_steps(config: TrainingConfig, total_steps: int) -> int:
    """Steps of the warm-up, rounded."""
    return round(config.warmup_fraction * total_steps)


def build_optimizer(
    config: TrainingConfig,
    schedule: WarmupSchedule,
    not_decayed: Sequence[tf.Variable] = (),
    rate_factors: Iterable[tuple[tf.Variable, float]] = (),
    begun: Iterable[tuple[tf.Variable, tf.Variable]] = (),
) -> tf_keras.optimizers.Optimizer:
    """Builds the optimiser; call it under the strategy's scope.

    Args:
        config: The training section.
        schedule: Its learning rate.
        not_decayed: Variables of the kinds in `NOT_DECAYED`.
        rate_factors: Variables and the multiple of the learning rate that each trains at; 1 of
            any other.
        begun: Variables that do not train from the first update on, each with the number of those
            before, [] int64; for AdamW, the only one that counts steps by itself.
    """
    decay = config.weight_decay or None
    if config.optimizer == "adamw":
        optimizer = _AdamW(schedule, weight_decay=config.weight_decay, epsilon=1e-8)
        # AdamW takes no None when it is made, but None spares a pass over all weights.
        optimizer.weight_decay = decay
        optimizer.set_begun(begun)
    elif config.optimizer == "sgd":
        optimizer = _Sgd(schedule, momentum=0.9, nesterov=True, weight_decay=decay)
    else:
        optimizer = _Adafactor(schedule, weight_decay=decay)
    if decay is not None:
        optimizer.exclude_from_weight_decay(var_list=list(not_decayed))
    optimizer.set_rate_factors(rate_factors)
    if config.precision == "mixed_float16":
        optimizer = tf_keras.mixed_precision.LossScaleOptimizer(optimizer)
    return optimizer
