"""The Keras model that is trained: a classifier with its loss, its steps and their loop."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras

from tf_finetune.data.batch import Batch, Inputs, Scattered
from tf_finetune.encoders.dropout import dropout_position
from tf_finetune.machine import interruption
from tf_finetune.machine.memory import memory_reason
from tf_finetune.models.classifier import Classifier
from tf_finetune.options.training import TrainingConfig
from tf_finetune.tasks.table import TASKS
from tf_finetune.training.executions import logs_of_steps, run_steps
from tf_finetune.training.optimizers import WarmupSchedule, warmup_steps
from tf_finetune.training.pipeline import dropout_place, in_its_place, rows_of
from tf_finetune.training.running_mean import RunningMean


class StepMemoryError(Exception):
    """A training step did not fit the memory; the message says what did not."""


class FineTuner(tf_keras.Model):
    """Trains the suffix of a classifier.

    `fit` and `predict` are Keras' in what they do, but read a plain `tf.data` iterator and cut
    each batch themselves: Keras' own wrap the data set in a `MultiDeviceIterator`, whose
    auto-tuning cannot be switched off and can hold up the end of a fit (`docs/findings.md`).

    A step computes the weighted mean loss over the whole global batch, whatever number of
    replicas and micro-batches it is cut into: every piece divides by the weight of all.

    Args:
        classifier: The model.
        task: Name of the task, of `tasks.table.TASKS`.
        schedule: Learning-rate schedule of the optimiser that `compile` is given.
        label_smoothing: See `example_losses`.
        micro_batches: Pieces a replica computes one after the other to save memory.
        clip_norm: Longest global gradient norm, or None.
        for_xla: Whether XLA compiles the step; dropout is then computed in another way, to the
            same numbers.
    """

    def __init__(
        self,
        classifier: Classifier,
        task: str,
        schedule: WarmupSchedule,
        *,
        label_smoothing: float = 0.0,
        micro_batches: int = 1,
        clip_norm: float | None = None,
        for_xla: bool = False,
    ):
        super().__init__(name="fine_tuner")
        self.classifier = classifier
        self.task = task
        self.schedule = schedule
        self.label_smoothing = label_smoothing
        self.micro_batches = micro_batches
        self.clip_norm = clip_norm
        self.for_xla = for_xla
        self.steps_per_execution = 1
        self.mean_loss = RunningMean()
        self._next_states: dict[int, Callable[..., tf.Tensor]] = {}

    @property
    def trainable_weights(self) -> list[tf.Variable]:
        """The variables that the freeze plan trains."""
        return self.classifier.trainable_weights

    @property
    def non_trainable_weights(self) -> list[tf.Variable]:
        """The variables that the freeze plan freezes."""
        return self.classifier.non_trainable_weights

    def start_run(self, config: TrainingConfig, total_steps: int) -> None:
        """Sets optimiser, learning rate and steps an execution for a run from its first step.

        Nothing is built or traced again, so a model can serve run after run.
        """
        self.steps_per_execution = config.steps_per_execution
        self.schedule.set(config.learning_rate, total_steps, warmup_steps(config, total_steps))
        for variable in self.optimizer.variables:  # step count and slots
            variable.assign(tf.zeros_like(variable))
        if self._scales_loss:
            scale, good_steps = self._loss_scale_variables
            scale.assign(self.optimizer.initial_scale)
            good_steps.assign(0)

    @property
    def optimizer_variables(self) -> list[tf.Variable]:
        """All state of the optimiser, that of the loss scale (float16) at the end."""
        return [
            *self.optimizer.variables,
            *(self._loss_scale_variables if self._scales_loss else ()),
        ]

    @property
    def _scales_loss(self) -> bool:
        return isinstance(self.optimizer, tf_keras.mixed_precision.LossScaleOptimizer)

    @property
    def _loss_scale_variables(self) -> tuple[tf.Variable, tf.Variable]:
        """Scale and steps since it last changed; Keras does not list them as variables."""
        state = self.optimizer._loss_scale
        return state.current_loss_scale, state.counter

    def cut_batches(self, micro_batches: int) -> None:
        """Computes every later step in so many pieces; the step is traced again."""
        self.micro_batches = micro_batches
        for step in ("_next_train_step", "_next_execution"):
            self.__dict__.pop(step, None)

    def call(self, batch: Batch, training: bool | None = None) -> tf.Tensor:
        """Logits of all texts, [b * s, labels] float32."""
        return self.classifier(batch.inputs, training=training)

    def fit(
        self,
        batches: tf.data.Dataset,
        *,
        initial_epoch: int,
        epochs: int,
        steps_per_epoch: int,
        callbacks: Sequence[tf_keras.callbacks.Callback],
    ) -> None:
        """Trains on global batches, one a step, until the epochs are over or a callback stops.

        Args:
            batches: From `training_dataset`.
            initial_epoch: Epoch of the first step, counted from 0.
            epochs: Epoch to stop before.
            steps_per_epoch: Steps of each of these epochs; 0 only scores.
            callbacks: Called in their order; of several steps an execution after all of them,
                once for each. `logs["updates_ahead"]` says how many updates the weights are
                ahead of the step.

        Raises:
            StepMemoryError: A step did not fit the memory.
            Interrupted: A signal came in a region of `interruption.deferred`; raised after an
                execution, or between two batches of a callback's `predict`.
        """
        hooks = tf_keras.callbacks.CallbackList(list(callbacks), model=self)
        iterator = iter(batches)
        self.stop_training = False
        asked = deque([tf.constant(0.0)])
        hooks.on_train_begin()
        for epoch in range(initial_epoch, epochs):
            self.mean_loss.reset()
            logs: dict[str, tf.Tensor] = {}
            hooks.on_epoch_begin(epoch)
            done = 0
            while done < steps_per_epoch:
                for logs in self._next_train_steps(iterator, steps_per_epoch - done):
                    stop = logs.pop("asked_to_stop")
                    # Keras' list of callbacks would copy the logs, and warn of its own speed.
                    for callback in callbacks:
                        callback.on_train_batch_end(done, logs)
                    done += 1
                asked.append(stop)
                # Of the steps before: that of these would have to be waited for.
                self._stop_if_asked(asked.popleft())
            if steps_per_epoch == 0:  # all steps were done before, and are in the mean
                logs = {"loss": self.mean_loss.result()}
            hooks.on_epoch_end(epoch, {name: float(value) for name, value in logs.items()})
            if self.stop_training:
                break
        hooks.on_train_end()

    def predict(self, batches: tf.data.Dataset, steps: int) -> np.ndarray:
        """Logits of every row of the first `steps` global batches, float32 [rows, labels]."""
        iterator = iter(batches)
        pieces = []
        for _ in range(steps):
            logits, asked = self._next_logits(iterator, _asked_to_stop())
            pieces.append(logits.numpy())
            self._stop_if_asked(asked)
        return np.concatenate(pieces)

    def boundary_states(
        self, batches: tf.data.Dataset, steps: int, from_depth: int
    ) -> Iterator[np.ndarray]:
        """States at the frozen boundary of the first `steps` batches, [rows, t, hidden].

        Of several processes each can call this for itself, with batches of its own.

        Args:
            batches: From `evaluation_dataset`.
            steps: Number of batches.
            from_depth: Layers that the batches' states have passed; 0 of tokens.
        """
        if from_depth not in self._next_states:
            self._next_states[from_depth] = self._states_function(from_depth)
        iterator = iter(batches)
        for _ in range(steps):
            yield self._next_states[from_depth](iterator).numpy()

    def train_step(
        self, batch: Batch, asked_to_stop: tf.Tensor | float = 0.0
    ) -> dict[str, tf.Tensor]:
        """One optimiser step on this replica's piece of a global batch.

        Args:
            batch: The piece.
            asked_to_stop: 1 if this process was asked to stop, else 0; [] float32.

        Returns:
            `loss` (running mean of the epoch), `step_loss` and `gradient_norm` (before
            clipping) of the global batch, the losses of a regression in squared units of its
            targets, as a score's; `dropped`: whether one of them is not finite, so
            that the step changed nothing; `asked_to_stop`: over 0 if any process was.
        """
        variables = self.trainable_weights
        loss, gradients = self._loss_and_gradients(batch, variables)
        asked = tf.identity(asked_to_stop)
        replicas = tf.distribute.get_replica_context()
        if replicas.num_replicas_in_sync > 1:
            loss, asked, *gradients = replicas.all_reduce("SUM", [loss, asked, *gradients])
        norm = tf.linalg.global_norm(gradients)
        if self.clip_norm is not None:
            gradients, _ = tf.clip_by_global_norm(gradients, self.clip_norm, use_norm=norm)
        is_good = self._is_good(loss, norm)
        replicas.merge_call(self._update_if, args=(is_good, gradients))
        zero = tf.constant(0.0)
        loss *= tf.square(self.classifier.deviation)
        self.mean_loss.add(
            tf.where(is_good, loss, zero), tf.where(is_good, batch.whole.weight_sum, zero)
        )
        return {
            "loss": self.mean_loss.result(),
            "step_loss": loss,
            "gradient_norm": norm,
            "dropped": tf.logical_not(is_good),
            "asked_to_stop": asked,
        }

    def _is_good(self, loss: tf.Tensor, gradient_norm: tf.Tensor) -> tf.Tensor:
        """Whether a step may change anything; bool."""
        finite_gradient = tf.math.is_finite(gradient_norm)
        if self._scales_loss:
            # A gradient that overflows under a loss scale says that the scale is too large;
            # the optimiser then lowers the scale and changes nothing else.
            finite_gradient |= self._loss_scale_variables[0] > 1.0
        return tf.math.is_finite(loss) & finite_gradient

    def _update_if(
        self, strategy: tf.distribute.Strategy, is_good: Any, gradients: list[Any]
    ) -> None:
        """Updates on all replicas or on none: a condition cannot hold a merge of replicas."""

        def update(gradients: list[tf.Tensor]) -> None:
            self.optimizer.apply_gradients(
                zip(gradients, self.trainable_weights, strict=True),
                skip_gradients_aggregation=True,
            )

        def update_all() -> tf.Operation:
            strategy.extended.call_for_each_replica(update, args=(gradients,))
            return tf.no_op()

        # After an all-reduce it is the same on each.
        tf.cond(strategy.experimental_local_results(is_good)[0], update_all, tf.no_op)

    def example_losses(self, inputs: Inputs, targets: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
        """Loss of each text of a piece, float32 [n].

        Args:
            inputs: Of the piece, for losses that need more of it than its targets.
            targets: Its targets, one a text, row after row: [n, ...].
            logits: Its logits, [n, labels] in the same order.
        """
        return TASKS[self.task].losses(
            targets, logits, self.label_smoothing, self.classifier.deviation
        )

    def predict_step(
        self, batch: Batch, asked_to_stop: tf.Tensor | float = 0.0
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Logits of the whole global batch, [b, labels] float32, of which this computes a piece.

        Every process gets all, because every one scores. See `train_step` for `asked_to_stop`.
        """
        logits, asked = self.classifier(batch.inputs, training=False), tf.identity(asked_to_stop)
        replicas = tf.distribute.get_replica_context()
        if isinstance(batch.place, Scattered):
            real = tf.where(batch.weights > 0, logits, 0.0)
            shape = tf.stack([batch.place.count, tf.shape(logits)[1]])
            logits = tf.scatter_nd(batch.place.places[:, None], real, shape)
        elif replicas.num_replicas_in_sync > 1:
            logits = in_its_place(logits, batch.place.first, replicas.num_replicas_in_sync)
        if replicas.num_replicas_in_sync > 1:
            # A sum with zeros is exact, and needs no order of the replicas.
            logits, asked = replicas.all_reduce("SUM", [logits, asked])
        return logits, asked

    def _next_train_steps(self, iterator: Any, most: int) -> Iterable[dict[str, Any]]:
        """Trains on the next batches, at most so many; gives the logs of each step."""
        most = min(most, self.steps_per_execution)
        try:
            if self.steps_per_execution == 1:
                return [self._next_train_step(iterator, _asked_to_stop()) | {"updates_ahead": 0}]
            logs = self._next_execution(iterator, _asked_to_stop(), tf.constant(most, tf.int32))
            return list(logs_of_steps(logs))  # here, as some devices fail when values are read
        except (tf.errors.ResourceExhaustedError, MemoryError) as error:
            raise StepMemoryError(memory_reason(error)) from None

    @cached_property
    def _next_train_step(self) -> Callable[..., dict[str, tf.Tensor]]:
        @tf.function
        def next_train_step(iterator: Any, asked: tf.Tensor) -> dict[str, tf.Tensor]:
            logs = self._step_on_replicas(iterator, asked)
            # The condition of the update has to reach the host anyway; read there, it does not
            # make anybody wait for the update itself.
            with tf.device("/cpu:0"):
                return logs | {"dropped": tf.identity(logs["dropped"])}

        return next_train_step

    @cached_property
    def _next_execution(self) -> Callable[..., dict[str, tf.Tensor]]:
        @tf.function
        def next_execution(
            iterator: Any, asked: tf.Tensor, most: tf.Tensor
        ) -> dict[str, tf.Tensor]:
            # Told by one step, because the sum over replicas of what is the same in every step of
            # a loop comes out of it without a value (TensorFlow 2.20, two devices).
            return run_steps(
                lambda is_last: self._step_on_replicas(iterator, tf.where(is_last, asked, 0.0)),
                most,
            )

        return next_execution

    def _step_on_replicas(self, iterator: Any, asked: tf.Tensor) -> dict[str, tf.Tensor]:
        on_replicas = self._on_replicas(self.train_step, next(iterator), asked)
        return {name: values[0] for name, values in on_replicas.items()}  # the same on each

    @cached_property
    def _next_logits(self) -> Callable[..., tuple[tf.Tensor, tf.Tensor]]:
        @tf.function
        def next_logits(iterator: Any, asked: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            return self._on_replicas(self.predict_step, next(iterator), asked)[0]

        return next_logits

    def _states_function(self, from_depth: int) -> Callable[..., tf.Tensor]:
        def states(batch: Batch) -> tf.Tensor:
            return self.classifier.boundary_states(batch.inputs, from_depth=from_depth)

        @tf.function
        def next_states(iterator: Any) -> tf.Tensor:
            return tf.concat(self._on_replicas(states, next(iterator), own=True), axis=0)

        return next_states

    def _stop_if_asked(self, asked: tf.Tensor) -> None:
        """Raises `Interrupted`, in all processes after the same step, when any was asked to stop.

        Args:
            asked: What a step said about it, [] float32.
        """
        if not self._is_one_of_several:
            interruption.check()
        elif float(asked) > 0:  # one that stopped alone would leave the others waiting for it
            interruption.stop()

    @property
    def _is_one_of_several(self) -> bool:
        """Whether several processes train this model together."""
        return isinstance(self.distribute_strategy, tf.distribute.MultiWorkerMirroredStrategy)

    def _on_replicas(
        self, function: Callable[..., Any], batch: Batch, *more: tf.Tensor, own: bool = False
    ) -> Any:
        """Runs a function on each replica's piece; a tuple of what each gives here, in order.

        Args:
            function: Runs on a replica.
            batch: Of several processes all have the same, and each computes pieces of it.
            more: Further arguments, the same on all replicas of this process.
            own: Whether this process has the batch for itself instead.
        """
        strategy = self.distribute_strategy
        count = strategy.num_replicas_in_sync
        if self._is_one_of_several and (own or isinstance(batch.place, Scattered)):
            count = len(strategy.extended.worker_devices)
        rows = tf.shape(batch.weights)[0] // count
        pieces = strategy.experimental_distribute_values_from_function(
            lambda context: rows_of(batch, context.replica_id_in_sync_group % count * rows, rows)
        )
        results = strategy.run(function, args=(pieces, *more))
        if isinstance(results, dict):
            return {k: strategy.experimental_local_results(v) for k, v in results.items()}
        return strategy.experimental_local_results(results)

    def _loss_and_gradients(
        self, batch: Batch, variables: list[tf.Variable]
    ) -> tuple[tf.Tensor, list[tf.Tensor]]:
        if self.micro_batches == 1:
            return self._piece_gradients(batch, variables)
        rows = tf.shape(batch.weights)[0] // self.micro_batches

        def add_micro_batch(index: tf.Tensor, loss: tf.Tensor, sums: Any) -> Any:
            piece = rows_of(batch, index * rows, rows)
            more_loss, more = self._piece_gradients(piece, variables)
            return index + 1, loss + more_loss, [a + b for a, b in zip(sums, more, strict=True)]

        zeros = [tf.zeros_like(v) for v in variables]
        # One after the other: in parallel they would need the memory that they save.
        _, loss, gradients = tf.while_loop(
            lambda index, *_: index < self.micro_batches,
            add_micro_batch,
            (tf.constant(0), tf.constant(0.0), zeros),
            parallel_iterations=1,
            maximum_iterations=self.micro_batches,
        )
        return loss, gradients

    def _piece_gradients(
        self, piece: Batch, variables: list[tf.Variable]
    ) -> tuple[tf.Tensor, list[tf.Tensor]]:
        """This piece's share of the global loss, and its gradients as dense tensors."""
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(variables)
            with dropout_position(*dropout_place(piece), for_xla=self.for_xla):
                logits = self.classifier(piece.inputs, training=True)
            targets = tf.reshape(piece.targets, [-1, *piece.targets.shape[2:]])
            losses = self.example_losses(piece.inputs, targets, logits)
            loss = tf.reduce_sum(losses * tf.reshape(piece.weights, [-1]))
            loss /= piece.whole.weight_sum
            objective = self.optimizer.get_scaled_loss(loss) if self._scales_loss else loss
        gradients = tape.gradient(objective, variables)
        if self._scales_loss:
            gradients = self.optimizer.get_unscaled_gradients(gradients)
        # Word embeddings come as slices that may name a row twice; only summed rows have the
        # norm of the gradient.
        return loss, [
            tf.ensure_shape(tf.convert_to_tensor(gradient), variable.shape)
            for gradient, variable in zip(gradients, variables, strict=True)
        ]


def _asked_to_stop() -> tf.Tensor:
    return tf.constant(float(interruption.is_asked_for()))
