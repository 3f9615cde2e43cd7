"""What came of a training."""

import statistics
from dataclasses import dataclass

import numpy as np

from tf_finetune.training.fine_tuner import FineTuner

# Of an entry in the history of a head that was solved exactly.
PENALTY = "penalty"
OUT_OF_FOLD_LOSS = "out_of_fold_loss"


@dataclass(frozen=True)
class RunResult:
    """What a run did.

    Attributes:
        model: The trained model.
        history: One entry an epoch: loss, `val_` scores, seconds, examples_per_second. Of a head
            that was solved exactly one a penalty, with `penalty` and `out_of_fold_loss`.
        best_epoch: Epoch (or penalty) whose weights were kept, counted from 1.
        steps: Optimiser steps; 0 of a head that was solved exactly.
        train_seconds: Seconds in training steps, without validation.
        first_step_seconds: What the first step took, tracing included, with all of its call.
        first_call_steps: Steps of that call: `training.steps_per_execution`, if there were as many.
        first_step_at: `time.time()` when the first step was done; None if none was, such as where
            a finished run was resumed.
        micro_batches: Pieces that a replica computed a step in, in the end.
        validation_logits: Of the kept weights, float32 [n, labels]; None where they were not
            computed (no such split, an earlier epoch was kept, a finished run was resumed).
    """

    model: FineTuner
    history: list[dict[str, float]]
    best_epoch: int
    steps: int
    train_seconds: float
    first_step_seconds: float
    first_call_steps: int
    first_step_at: float | None
    micro_batches: int
    validation_logits: np.ndarray | None = None

    def throughput(self, batch_size: int) -> float:
        """Training examples a second, without the call that was traced.

        Of a head that was solved exactly, with all that this took.
        """
        rates = [entry["examples_per_second"] for entry in self.history]
        if not self.steps:
            return 1 / sum(1 / rate for rate in rates)
        if len(rates) > 1:
            return statistics.median(rates[1:])
        (entry,) = self.history
        others = entry["seconds"] - self.first_step_seconds
        steps = round(entry["seconds"] * rates[0] / batch_size) - self.first_call_steps
        return steps * batch_size / others if steps >= 1 and others > 0 else rates[0]
