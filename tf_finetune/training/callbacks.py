"""What happens between the steps of a fit: scoring, stopping, measuring, remembering."""

import math
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tf_keras

Logs = dict[str, Any]


class ValidationScores(tf_keras.callbacks.Callback):
    """Scores the validation split after every epoch; must come before its readers.

    Args:
        score: Computes metric name to value with the model as it is.
    """

    def __init__(self, score: Callable[[], dict[str, float]]):
        super().__init__()
        self._score = score

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Adds `val_NAME` to the logs, which the callbacks after this one see."""
        if logs is not None:
            logs.update({f"val_{name}": value for name, value in self._score().items()})


class SolveHead(tf_keras.callbacks.Callback):
    """Solves the head after every epoch, where steps do not train it; its seconds are the epoch's.

    Args:
        solve: Gives the head its values with the model as it is.
    """

    def __init__(self, solve: Callable[[], None]):
        super().__init__()
        self._solve = solve

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Solves it before anything is scored or kept."""
        self._solve()


class StopEarly(tf_keras.callbacks.Callback):
    """Stops when the monitored score has not improved for some epochs; keeps the best weights.

    Keras' own callback copies every weight; this one copies only what trains, or its averages.

    Args:
        metric: Name in the logs.
        higher_is_better: Direction of the metric.
        patience: Epochs to wait for an improvement.
    """

    def __init__(self, metric: str, higher_is_better: bool, patience: int):
        super().__init__()
        self._metric = metric
        self._sign = 1.0 if higher_is_better else -1.0
        self._patience = patience
        self.best_epoch = 0
        self.best_score = -math.inf
        self.best_values: dict[str, np.ndarray] = {}

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Keeps the trainable weights if this epoch is the best so far."""
        score = self._sign * (logs or {})[self._metric]
        # The first epoch is kept even when it has no score (NaN, which beats nothing).
        if score > self.best_score or not self.best_values:
            self.best_score = -math.inf if math.isnan(score) else score
            self.best_epoch = epoch
            self.best_values = self.model.kept_values()
        elif epoch - self.best_epoch >= self._patience:
            self.model.stop_training = True

    def restore_best(self, seed: int) -> None:
        """Puts the best weights back; to be called when all fitting is done.

        Args:
            seed: Of the values before fine-tuning, which what trained only later gets back.
        """
        classifier = self.model.classifier
        if later := classifier.plan.trainable_paths - self.best_values.keys():
            classifier.set_values(classifier.initial_values(seed, later))
        classifier.set_values(self.best_values)


class SpeedMeter(tf_keras.callbacks.Callback):
    """Measures examples per second of training, without validation.

    An epoch that is resumed inside counts what was measured of it before the interruption.

    Args:
        batch_size: Examples a step; the one smaller batch of an epoch counts as full.
    """

    def __init__(self, batch_size: int):
        super().__init__()
        self._batch_size = batch_size
        self._started = 0.0
        self._steps = 0
        self._ended: float | None = None
        self._steps_before = 0
        self._seconds_before = 0.0
        self.first_step_at: float | None = None
        self.first_step_seconds = 0.0
        self.first_call_steps = 1

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Starts the clock."""
        self._started, self._ended = time.perf_counter(), None
        self._steps = 0

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Counts, and notes when the very first step was done."""
        self._steps += 1
        if self.first_step_at is None and logs is not None:
            float(logs["step_loss"])  # waits for the device
            self.first_step_at = time.time()
            self.first_step_seconds = time.perf_counter() - self._started
            self.first_call_steps = 1 + logs["updates_ahead"]

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Adds `seconds` and `examples_per_second` to the logs."""
        self._ended = time.perf_counter()
        if logs is not None:
            steps = self._steps_before + self._steps
            logs["seconds"] = self.epoch_seconds
            logs["examples_per_second"] = steps * self._batch_size / logs["seconds"]
            self._steps_before, self._seconds_before = 0, 0.0

    @property
    def epoch_seconds(self) -> float:
        """Seconds in the steps of this epoch, up to now or to its end."""
        ended = time.perf_counter() if self._ended is None else self._ended
        return self._seconds_before + ended - self._started

    def resume(self, steps: int, seconds: float) -> None:
        """Takes up an epoch inside, of which so many steps took so many seconds."""
        self._steps_before, self._seconds_before = steps, seconds


class EpochHistory(tf_keras.callbacks.Callback):
    """Keeps the logs of every finished epoch, oldest first."""

    def __init__(self) -> None:
        super().__init__()
        self.entries: list[dict[str, float]] = []

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Keeps what describes the whole epoch."""
        of_last_step = ("step_loss", "gradient_norm", "dropped", "updates_ahead")
        self.entries.append({k: float(v) for k, v in (logs or {}).items() if k not in of_last_step})


class GiveUp(tf_keras.callbacks.Callback):
    """Stops a run that is not worth going on with; must come after `EpochHistory`.

    Args:
        history: The epochs so far.
        decide: Is asked after every epoch but the last.
        epochs: Epochs of the run.
    """

    def __init__(
        self,
        history: EpochHistory,
        decide: Callable[[Sequence[dict[str, float]]], bool],
        epochs: int,
    ):
        super().__init__()
        self._history = history
        self._decide = decide
        self._epochs = epochs

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Asks."""
        entries = self._history.entries
        if len(entries) < self._epochs and self._decide(entries):
            self.model.stop_training = True
