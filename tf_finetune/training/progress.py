"""One progress bar for a whole run."""

import time
from typing import Any

import tf_keras
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from tf_finetune.live_display import LiveDisplay


class ProgressBar(tf_keras.callbacks.Callback):
    """One bar over all epochs with loss, examples/s and time left; a line an epoch if piped.

    Args:
        console: Where to print.
        total_steps: Steps of the whole run.
        first_step: Steps already done by an earlier process.
        steps_per_epoch: Steps an epoch.
        batch_size: Examples a step.
        metric: Validation score to show, as named in the logs.
    """

    def __init__(
        self,
        console: Console,
        *,
        total_steps: int,
        first_step: int,
        steps_per_epoch: int,
        batch_size: int,
        metric: str,
    ):
        super().__init__()
        self._console = console
        self._total = total_steps
        self._first = first_step
        self._steps_per_epoch = steps_per_epoch
        self._batch_size = batch_size
        self._metric = metric
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.fields[status]}"),
            TimeRemainingColumn(),
            console=console,
            disable=True,  # its display is ours
        )
        self._display = LiveDisplay(console, self._bar.get_renderable, transient=False)
        self._task = self._bar.add_task(
            "training", total=total_steps, completed=first_step, status=""
        )
        self._started = 0.0
        self._done = first_step
        self._shown = 0.0

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Shows the bar."""
        self._display.start()
        self._started, self._first = time.perf_counter(), self._done

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Moves the bar, at most five times a second."""
        self._done += 1
        now = time.perf_counter()
        if not self._display.is_shown or now - self._shown < 0.2:
            return
        self._shown = now
        rate = (self._done - self._first) * self._batch_size / (now - self._started)
        loss = float((logs or {})["loss"])
        self._bar.update(
            self._task, completed=self._done, status=f"loss {loss:.4f}  {rate:.0f} examples/s"
        )

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Prints the epoch's figures."""
        logs = logs or {}
        score = logs.get(self._metric)
        scored = "" if score is None else f"  {self._metric.removeprefix('val_')} {score:.4f}"
        epochs = -(-self._total // self._steps_per_epoch)
        self._bar.update(self._task, completed=self._done)
        self._console.print(
            f"epoch {epoch + 1}/{epochs}  loss {float(logs['loss']):.4f}{scored}  "
            f"{logs['examples_per_second']:.0f} examples/s  {logs['seconds']:.1f} s",
            highlight=False,
        )

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Takes the bar away."""
        self._display.stop()

    def close(self) -> None:
        """Takes the bar away also when training ended in an error."""
        self._display.stop()
