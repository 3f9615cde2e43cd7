"""The scalars of a run for TensorBoard."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import tensorflow as tf
import tf_keras

from tf_finetune.storage.disk_space import told_when_full
from tf_finetune.training.bad_numbers import DROPPED
from tf_finetune.training.run_result import PENALTY


class TensorBoardScalars(tf_keras.callbacks.Callback):
    """Writes losses, scores, learning rate, gradient norm, speed and weight change.

    Args:
        events: Folder of the run's event files; made if needed.
        weight_changes: Computes name to relative change since before fine-tuning.
        every_steps: How often the step scalars are written.
        first_step: Global step of the first step of this fit.

    Raises:
        DiskFullError: From each method, rather than TensorFlow's error that looks like a memory
            that is full.
    """

    def __init__(
        self,
        events: Path,
        weight_changes: Callable[[], dict[str, float]],
        *,
        every_steps: int = 10,
        first_step: int = 0,
    ):
        super().__init__()
        self._events = events
        with told_when_full(events):
            self._writer = tf.summary.create_file_writer(str(events))
        self._weight_changes = weight_changes
        self._every_steps = every_steps
        self._step = first_step

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Writes the step scalars."""
        self._step += 1
        if self._step % self._every_steps and self._step > 1:
            return
        logs = logs or {}
        with told_when_full(self._events), self._writer.as_default(step=self._step):
            tf.summary.scalar("step/loss", float(logs["step_loss"]))
            tf.summary.scalar("step/gradient_norm", float(logs["gradient_norm"]))
            tf.summary.scalar("step/learning_rate", self._rate(logs["updates_ahead"]))

    def _rate(self, updates_ahead: int) -> float:
        """The rate of the last update before so many."""
        state = self.model.optimizer_state
        return float(state.schedule(max(int(state.iterations.numpy()) - updates_ahead - 1, 0)))

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Writes the epoch scalars."""
        logs = logs or {}
        with told_when_full(self._events), self._writer.as_default(step=epoch + 1):
            tf.summary.scalar("epoch/loss", float(logs["loss"]))
            tf.summary.scalar("epoch/examples_per_second", logs["examples_per_second"])
            if PENALTY in logs:
                tf.summary.scalar(f"epoch/{PENALTY}", logs[PENALTY])
            if DROPPED in logs:
                tf.summary.scalar(f"epoch/{DROPPED}", logs[DROPPED])
            for name, value in logs.items():
                if name.startswith("val_"):
                    tf.summary.scalar(f"validation/{name.removeprefix('val_')}", value)
            for name, value in self._weight_changes().items():
                tf.summary.scalar(f"weight_change/{name}", value)
