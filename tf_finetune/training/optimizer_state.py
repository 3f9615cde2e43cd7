"""What an optimiser carries from step to step: its slots, its rate, the scale of the loss."""

from collections.abc import Sequence

import tensorflow as tf
import tf_keras

from tf_finetune.options.training import TrainingConfig
from tf_finetune.training.optimizers import WarmupSchedule, warmup_steps


class OptimizerState:
    """An optimiser and its learning rate, which serve run after run.

    Args:
        optimizer: From `build_optimizer`, built.
        schedule: Its learning rate.
        begun: For each later phase of the run, in order up to this one, at which update what
            trains since then began to.
        averages: What is kept beside it: by the method of fine-tuning, or of the weights.
    """

    def __init__(
        self,
        optimizer: tf_keras.optimizers.Optimizer,
        schedule: WarmupSchedule,
        begun: Sequence[tf.Variable] = (),
        averages: Sequence[tf.Variable] = (),
    ):
        self.optimizer = optimizer
        self.schedule = schedule
        self._begun = tuple(begun)
        self._averages = tuple(averages)

    def start_run(self, config: TrainingConfig, total_steps: int) -> None:
        """Puts all of it where a run begins; nothing is built or traced again.

        Raises:
            ValueError: The configuration has no learning rate, see `resolve_rate`.
        """
        if config.learning_rate is None:
            raise ValueError("training.learning_rate was not resolved")
        self.schedule.set(config.learning_rate, total_steps, warmup_steps(config, total_steps))
        # Step count and slots.
        for variable in (*self.optimizer.variables, *self._begun, *self._averages):
            variable.assign(tf.zeros_like(variable))
        if self.scales_loss:
            scale, good_steps = self.loss_scale
            scale.assign(self.optimizer.initial_scale)
            good_steps.assign(0)

    def take_over(self, before: "OptimizerState") -> None:
        """Goes on where that of the phase before stopped; call it after `start_run`.

        Args:
            before: Of a model that trained less over the same variables.

        Raises:
            ValueError: It has state that this one has no place for.
        """
        own = {variable.name: variable for variable in self.variables}
        kept = {variable.name: variable for variable in before.variables}
        if len(own) < len(self.variables) or not kept.keys() <= own.keys():
            raise ValueError("an optimiser can go on only with all that another one held")
        for name, variable in kept.items():
            own[name].assign(variable)
        self._begun[-1].assign(before.iterations)

    @property
    def variables(self) -> list[tf.Variable]:
        """All state of the optimiser, that of the loss scale (float16) at the end."""
        scale = self.loss_scale if self.scales_loss else ()
        return [*self.optimizer.variables, *self._begun, *self._averages, *scale]

    @property
    def iterations(self) -> tf.Variable:
        """Updates since the run began, [] int64."""
        return self.optimizer.iterations

    @property
    def rate(self) -> float:
        """Learning rate of the next update."""
        return float(self.schedule(self.iterations))

    @property
    def scales_loss(self) -> bool:
        """Whether the loss is scaled so that float16 holds its gradients."""
        return isinstance(self.optimizer, tf_keras.mixed_precision.LossScaleOptimizer)

    @property
    def loss_scale(self) -> tuple[tf.Variable, tf.Variable]:
        """Scale and steps since it last changed; Keras does not list them as variables."""
        state = self.optimizer._loss_scale
        return state.current_loss_scale, state.counter

    def scaled(self, loss: tf.Tensor) -> tf.Tensor:
        """The loss to be differentiated."""
        return self.optimizer.get_scaled_loss(loss) if self.scales_loss else loss

    def unscaled(self, gradients: list[tf.Tensor]) -> list[tf.Tensor]:
        """Gradients of the loss, from those of the scaled one."""
        return self.optimizer.get_unscaled_gradients(gradients) if self.scales_loss else gradients

    def is_good(self, loss: tf.Tensor, gradient_norm: tf.Tensor) -> tf.Tensor:
        """Whether a step may change anything; bool."""
        finite_gradient = tf.math.is_finite(gradient_norm)
        if self.scales_loss:
            # A gradient that overflows under a loss scale says that the scale is too large;
            # the optimiser then lowers the scale and changes nothing else.
            finite_gradient |= self.loss_scale[0] > 1.0
        return tf.math.is_finite(loss) & finite_gradient
