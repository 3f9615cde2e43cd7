"""How long a training step of each of several models takes, measured in turn."""

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass

import tensorflow as tf

from tf_finetune.training.fine_tuner import FineTuner

# The first step is traced, and in the second some kernels are still made.
UNTIMED_STEPS = 2
TIMED_STEPS = 5
STEPS = UNTIMED_STEPS + TIMED_STEPS


@dataclass(frozen=True)
class TimedSteps:
    """What the steps of one model took.

    Attributes:
        seconds: Of each timed step.
        losses: Of the batch of every step, untimed ones too.
    """

    seconds: tuple[float, ...]
    losses: tuple[float, ...]

    @property
    def median(self) -> float:
        """Seconds of a step."""
        return statistics.median(self.seconds)


def time_in_turn(
    models: Sequence[FineTuner], batches: Sequence[tf.data.Dataset]
) -> list[TimedSteps]:
    """Trains models for a few steps, each a step at a time, so that a busy machine meets all.

    Who goes first changes with every step.

    Args:
        models: Before the first step of a run.
        batches: Of each model; `STEPS` of them, or more.

    Raises:
        StepMemoryError: They do not fit the memory side by side.
    """
    steps = [model.step_losses(own) for model, own in zip(models, batches, strict=True)]
    seconds: list[list[float]] = [[] for _ in models]
    losses: list[list[float]] = [[] for _ in models]
    order = list(range(len(models)))
    for number in range(STEPS):
        for place in order if number % 2 else reversed(order):
            began = time.perf_counter()
            loss = next(steps[place])
            took = time.perf_counter() - began
            losses[place].append(loss)
            if number >= UNTIMED_STEPS:
                seconds[place].append(took)
    return [
        TimedSteps(tuple(own), tuple(of_batches))
        for own, of_batches in zip(seconds, losses, strict=True)
    ]
