"""NaN or infinity in a loss or a gradient: the step changes nothing, and what happens then."""

import math
from collections.abc import Callable
from typing import Any, Literal

import tf_keras
from rich.console import Console

from tf_finetune.errors import RunFailedError

BAD_STEPS_IN_A_ROW = 10  # then the run ends, whatever `training.on_nonfinite` says
DROPPED = "dropped_steps"

Logs = dict[str, Any]


class NonFiniteError(RunFailedError):
    """The loss, a gradient or a weight became NaN or infinite."""


class BadNumbers(tf_keras.callbacks.Callback):
    """Looks at every step; must be the first callback.

    The step itself leaves weights, slots and the optimiser's step count as they were when its
    loss or gradient is not finite (`TrainingStep`), so nothing has to be taken back.

    Args:
        action: "stop": end the run. "skip": count, and go on. "halve_lr": also halve the
            learning rate for the rest of the run.
        rows_of: Names the examples of a global step.
        steps_per_epoch: Steps an epoch. An epoch without a good step ends the run, too.
        console: Where each such step is told.
    """

    def __init__(
        self,
        action: Literal["stop", "skip", "halve_lr"],
        rows_of: Callable[[int], str],
        steps_per_epoch: int,
        console: Console,
    ):
        super().__init__()
        self._action = action
        self._rows_of = rows_of
        self._steps_per_epoch = steps_per_epoch
        self._limit = min(BAD_STEPS_IN_A_ROW, steps_per_epoch)
        self._console = console
        self._step = 0
        self._in_a_row = 0
        self._in_epoch = 0
        self._halvings = 0

    def state(self) -> dict[str, int]:
        """What a checkpoint keeps."""
        names = ("in_a_row", "in_epoch", "halvings")
        return {name: getattr(self, f"_{name}") for name in names}

    def resume(self, step: int, state: dict[str, int]) -> None:
        """Goes on from a global step with what `state` gave; the schedule is as at the start."""
        self._step = step
        self._in_a_row, self._in_epoch = state["in_a_row"], state["in_epoch"]
        for _ in range(state["halvings"]):
            self._halve()

    def halve_again(self) -> None:
        """Goes on with another model, whose schedule is as at the start."""
        for _ in range(self._halvings):
            self.model.optimizer_state.schedule.halve()

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Counts anew, unless an epoch is resumed."""
        if self._step == epoch * self._steps_per_epoch:
            self._in_epoch = 0

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Counts; a bad step is told, and ends the run if it must."""
        logs = logs or {}
        if not bool(logs["dropped"]):
            self._step, self._in_a_row = self._step + 1, 0
            return
        what = self._described(float(logs["step_loss"]), float(logs["gradient_norm"]))
        if self._action == "stop":
            raise NonFiniteError(what, hint=_HINT)
        if self._in_a_row + 1 >= self._limit:
            raise NonFiniteError(f"{what}: {self._limit} bad steps in a row", hint=_HINT)
        self._step, self._in_a_row = self._step + 1, self._in_a_row + 1
        self._in_epoch += 1
        done = "the step is skipped"
        if self._action == "halve_lr":
            self._halve()
            rate = self.model.optimizer_state.rate
            done = f"the step is skipped and the learning rate halved to {rate:.3g}"
        self._console.print(f"{what}: {done}", style="yellow", highlight=False, markup=False)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Adds how many steps of the epoch changed nothing, if any."""
        if self._in_epoch and logs is not None:
            logs[DROPPED] = self._in_epoch

    def _halve(self) -> None:
        self.model.optimizer_state.schedule.halve()
        self._halvings += 1

    def _described(self, loss: float, norm: float) -> str:
        epoch, step = divmod(self._step, self._steps_per_epoch)
        subject = f"the gradient norm became {norm}"
        rest = f"loss {loss:.4g}"
        if not math.isfinite(loss):
            subject, rest = f"the loss became {loss}", f"gradient norm {norm:.4g}"
        return (
            f"{subject} in epoch {epoch + 1} (step {step + 1}; {rest}; learning rate "
            f"{self.model.optimizer_state.rate:.3g}; {self._rows_of(self._step)})"
        )


_HINT = (
    "Try a lower training.learning_rate, a longer training.warmup_fraction, or "
    "training.precision=float32. The weights before that step are kept: the same command with "
    "training.on_nonfinite=skip or halve_lr goes on without it."
)
