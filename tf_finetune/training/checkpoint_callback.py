"""Saves the state of a fit now and then, and takes it up again."""

import math
import time
from collections.abc import Callable
from typing import Any

import tensorflow as tf
import tf_keras

from tf_finetune.training.bad_numbers import BadNumbers, NonFiniteError
from tf_finetune.training.callbacks import EpochHistory, SpeedMeter, StopEarly
from tf_finetune.training.checkpoints import RunCheckpoints
from tf_finetune.training.fine_tuner import FineTuner


class SaveCheckpoints(tf_keras.callbacks.Callback):
    """Saves after every epoch, and inside an epoch when enough time has passed.

    Must come after the callbacks whose state it saves.

    Args:
        checkpoints: Where to save.
        steps_per_epoch: Steps an epoch.
        history: Logs of the finished epochs.
        speed: What measures the epochs.
        stopper: Early stopping, or None.
        bad_numbers: What watches for NaN and infinity.
        writes: Whether this process saves; of several, one does and all restore.
        every_seconds: The most work, in seconds, that a kill loses.
    """

    def __init__(
        self,
        checkpoints: RunCheckpoints,
        steps_per_epoch: int,
        history: EpochHistory,
        speed: SpeedMeter,
        stopper: StopEarly | None,
        bad_numbers: BadNumbers,
        writes: bool,
        every_seconds: float,
    ):
        super().__init__()
        self._checkpoints = checkpoints
        self._steps_per_epoch = steps_per_epoch
        self._history = history
        self._speed = speed
        self._stopper = stopper
        self._bad_numbers = bad_numbers
        self._writes = writes
        self._every_seconds = every_seconds
        self._saved_at = time.monotonic()
        self._running_loss: list[float] = []
        self.step = 0
        self.stopped = False
        self.damaged: list[str] = []

    def resume(self, model_at: Callable[[int], FineTuner]) -> int:
        """Restores the newest whole checkpoint; returns the global step to go on from.

        Args:
            model_at: As for `RunCheckpoints.restore_latest`.
        """
        restored, self.damaged = self._checkpoints.restore_latest(model_at)
        if restored is None:
            return 0
        state = restored.state
        self.step, self.stopped = state["step"], state["stopped"]
        self._running_loss = state["running_loss"]
        self._history.entries = state["history"]
        if inside := self._steps_inside:
            # Versions before did not save the seconds.
            self._speed.resume(inside, state.get("epoch_seconds", 0.0))
        self._bad_numbers.resume(self.step, state["bad_numbers"])
        if self._stopper is not None:
            self._stopper.best_epoch = state["best_epoch"]
            if restored.best_values:
                self._stopper.best_score = state["best_score"]
            self._stopper.best_values = restored.best_values
        return self.step

    def follow(self, model: FineTuner) -> None:
        """Saves another model from now on."""
        self._checkpoints.follow(model)

    @property
    def _steps_inside(self) -> int:
        """Steps of an epoch that is not finished."""
        return self.step - len(self._history.entries) * self._steps_per_epoch

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Puts back the running loss of an epoch that is resumed inside."""
        if self._steps_inside:
            for variable, value in zip(
                self.model.step.mean_loss.variables, self._running_loss, strict=True
            ):
                variable.assign(value)

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Saves inside an epoch when it is time, and the weights are those of this step."""
        self.step += 1
        inside = self.step % self._steps_per_epoch
        if (logs or {})["updates_ahead"]:
            return
        if inside and time.monotonic() - self._saved_at > self._every_seconds:
            self.save()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Saves the finished epoch."""
        self.stopped = bool(self.model.stop_training)
        self.save()

    def save(self) -> None:
        """Saves the state after the last step, its epoch scored or not.

        Raises:
            NonFiniteError: A weight is not finite, so that this is no state to go on from.
        """
        self._check_weights()
        if not self._writes:
            return
        stopper = self._stopper
        state = {
            "step": self.step,
            "stopped": self.stopped,
            "running_loss": [float(v.numpy()) for v in self.model.step.mean_loss.variables],
            "epoch_seconds": self._speed.epoch_seconds,
            "history": self._history.entries,
            "bad_numbers": self._bad_numbers.state(),
            "best_epoch": stopper.best_epoch if stopper else None,
            "best_score": stopper.best_score if stopper and stopper.best_values else None,
        }
        self._checkpoints.save(state, stopper.best_values if stopper else {})
        self._saved_at = time.monotonic()

    def _check_weights(self) -> None:
        """One sum a variable: a finite step of any length can take a weight out of range."""
        classifier = self.model.classifier
        bad = [
            path
            for path, variable in classifier.by_path.items()
            if path in classifier.plan.trainable_paths
            and not math.isfinite(float(tf.reduce_sum(variable)))
        ]
        if bad:
            raise NonFiniteError(
                f"{bad[0]} ({len(bad)} variable(s) in all) is not finite after step {self.step}; "
                "the checkpoint before is kept",
                hint="Try a lower training.learning_rate, or training.clip_norm.",
            )
