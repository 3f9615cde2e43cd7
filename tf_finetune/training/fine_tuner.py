"""The loop around a step: a model is trained, or answers, over an iterator of global batches."""

import contextlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras

from tf_finetune.data.batch import Batch
from tf_finetune.data.read_vectors import stacked
from tf_finetune.machine import interruption
from tf_finetune.machine.memory import memory_reason
from tf_finetune.models.classifier import Classifier
from tf_finetune.options.training import TrainingConfig
from tf_finetune.training.executions import logs_of_steps, run_steps
from tf_finetune.training.optimizer_state import OptimizerState
from tf_finetune.training.replicas import is_one_of_several, on_replicas
from tf_finetune.training.step import TrainingStep, whole_logits, whole_vectors


class StepMemoryError(Exception):
    """A training step did not fit the memory; the message says what did not."""


class FineTuner:
    """Trains the suffix of a classifier.

    `fit` and `predict` do what Keras' do, but read a plain `tf.data` iterator and cut each batch
    themselves: Keras' own wrap the data set in a `MultiDeviceIterator`, whose auto-tuning cannot
    be switched off and can hold up the end of a fit (`docs/findings.md`).

    Args:
        step: What a replica computes.

    Attributes:
        stop_training: Set by a callback to end a fit after the epoch.
        strategy: In whose scope this was made.
    """

    def __init__(self, step: TrainingStep):
        self.step = step
        self.strategy = tf.distribute.get_strategy()
        self.stop_training = False
        self._steps_per_execution = 1
        self._next_states: dict[int, Callable[..., tf.Tensor]] = {}

    @property
    def classifier(self) -> Classifier:
        """The model."""
        return self.step.classifier

    @property
    def optimizer_state(self) -> OptimizerState:
        """The optimiser and its rate."""
        return self.step.optimizer_state

    def kept_values(self) -> dict[str, np.ndarray]:
        """Copies of what a run keeps as it stands: what trains, or its averages; by path."""
        average = self.step.average
        if average is None:
            return self.classifier.trainable_values()
        return average.values(self.optimizer_state)

    def keep(self) -> None:
        """Gives the model for good what a run keeps, where that is not what it trains with."""
        average = self.step.average
        if average is not None:
            self.classifier.set_values(average.values(self.optimizer_state))

    def with_kept_values(self) -> contextlib.AbstractContextManager[None]:
        """Gives the model inside a `with` block the values that a run keeps."""
        average = self.step.average
        if average is None:
            return contextlib.nullcontext()
        return average.in_place(self.optimizer_state)

    def start_run(self, config: TrainingConfig, total_steps: int) -> None:
        """Sets optimiser, learning rate and steps an execution for a run from its first step.

        Nothing is built or traced again, so a model can serve run after run.
        """
        self._steps_per_execution = config.steps_per_execution
        self.optimizer_state.start_run(config, total_steps)

    @property
    def micro_batches(self) -> int:
        """Pieces that a replica computes a step in."""
        return self.step.micro_batches

    def cut_batches(self, micro_batches: int) -> None:
        """Computes every later step in so many pieces; the step is traced again."""
        self.step.micro_batches = micro_batches
        for step in ("_next_train_step", "_next_execution"):
            self.__dict__.pop(step, None)

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
        iterator, mean_loss = iter(batches), self.step.mean_loss
        self.stop_training = False
        asked = deque([tf.constant(0.0)])
        hooks.on_train_begin()
        for epoch in range(initial_epoch, epochs):
            mean_loss.reset()
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
                logs = {"loss": mean_loss.result()}
            hooks.on_epoch_end(epoch, {name: float(value) for name, value in logs.items()})
            if self.stop_training:
                break
        hooks.on_train_end()

    def step_losses(self, batches: tf.data.Dataset) -> Iterator[float]:
        """Trains a step each time the next is asked for; gives the loss of its batch.

        All devices have done their work when a loss is given, so that its seconds are the step's.

        Args:
            batches: From `training_dataset`.

        Raises:
            StepMemoryError: A step did not fit the memory.
        """
        iterator = iter(batches)
        while True:
            try:
                (logs,) = self._next_train_steps(iterator, 1)
            except tf.errors.OutOfRangeError:  # the batches are at their end
                return
            tf.test.experimental.sync_devices()
            yield float(logs["step_loss"])

    def predict(self, batches: tf.data.Dataset, steps: int) -> np.ndarray:
        """Logits of every row of the first `steps` global batches, float32 [rows, r * labels].

        A row with fewer reads than another has zeros behind its own.
        """
        return stacked(list(self._rows(self._next_logits, batches, steps)))

    def head_vectors(self, batches: tf.data.Dataset, steps: int) -> Iterator[np.ndarray]:
        """What the head gets of the rows of the first `steps` batches, [rows, r * hidden] each."""
        return self._rows(self._next_vectors, batches, steps)

    def _rows(
        self, function: Callable[..., Any], batches: tf.data.Dataset, steps: int
    ) -> Iterator[np.ndarray]:
        iterator = iter(batches)
        for _ in range(steps):
            rows, asked = function(iterator, _asked_to_stop())
            yield rows.numpy()
            self._stop_if_asked(asked)

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

    def _next_train_steps(self, iterator: Any, most: int) -> Iterable[dict[str, Any]]:
        """Trains on the next batches, at most so many; gives the logs of each step."""
        most = min(most, self._steps_per_execution)
        try:
            if self._steps_per_execution == 1:
                return [self._next_train_step(iterator, _asked_to_stop()) | {"updates_ahead": 0}]
            logs = self._next_execution(iterator, _asked_to_stop(), tf.constant(most, tf.int32))
            return list(logs_of_steps(logs))  # here, as some devices fail when values are read
        except (tf.errors.ResourceExhaustedError, MemoryError) as error:
            raise StepMemoryError(memory_reason(error)) from None

    @cached_property
    def _next_train_step(self) -> Callable[..., dict[str, tf.Tensor]]:
        @tf.function(autograph=False)
        def next_train_step(iterator: Any, asked: tf.Tensor) -> dict[str, tf.Tensor]:
            logs = self._step_on_replicas(iterator, asked)
            # The condition of the update has to reach the host anyway; read there, it does not
            # make anybody wait for the update itself.
            with tf.device("/cpu:0"):
                return logs | {"dropped": tf.identity(logs["dropped"])}

        return next_train_step

    @cached_property
    def _next_execution(self) -> Callable[..., dict[str, tf.Tensor]]:
        @tf.function(autograph=False)
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
        logs = on_replicas(self.strategy, self.step.__call__, next(iterator), asked)
        return {name: values[0] for name, values in logs.items()}  # the same on each

    @cached_property
    def _next_logits(self) -> Callable[..., tuple[tf.Tensor, tf.Tensor]]:
        return self._rows_function(whole_logits)

    @cached_property
    def _next_vectors(self) -> Callable[..., tuple[tf.Tensor, tf.Tensor]]:
        return self._rows_function(whole_vectors)

    def _rows_function(
        self, compute: Callable[..., tuple[tf.Tensor, tf.Tensor]]
    ) -> Callable[..., tuple[tf.Tensor, tf.Tensor]]:
        def rows(batch: Batch, asked: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            return compute(self.classifier, batch, asked)

        @tf.function(autograph=False)
        def next_rows(iterator: Any, asked: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            return on_replicas(self.strategy, rows, next(iterator), asked)[0]

        return next_rows

    def _states_function(self, from_depth: int) -> Callable[..., tf.Tensor]:
        def states(batch: Batch) -> tf.Tensor:
            return self.classifier.boundary_states(batch.inputs, from_depth=from_depth)

        @tf.function(autograph=False)
        def next_states(iterator: Any) -> tf.Tensor:
            return tf.concat(on_replicas(self.strategy, states, next(iterator), own=True), axis=0)

        return next_states

    def _stop_if_asked(self, asked: tf.Tensor) -> None:
        """Raises `Interrupted`, in all processes after the same step, when any was asked to stop.

        Args:
            asked: What a step said about it, [] float32.
        """
        if not is_one_of_several(self.strategy):
            interruption.check()
        elif float(asked) > 0:  # one that stopped alone would leave the others waiting for it
            interruption.stop()


def _asked_to_stop() -> tf.Tensor:
    return tf.constant(float(interruption.is_asked_for()))
