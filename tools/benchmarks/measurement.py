"""What a measured program reports: one record, printed as the last line of its stdout.

Both sides fill the same fields, so that the comparison can check that they did the same work
before it compares their times. Only the standard library: two environments import this.
"""

import dataclasses
import json
import sys
import time
from collections.abc import Callable
from typing import Any, TypeVar

from tools.benchmarks.torch_environment import BenchError

Record = TypeVar("Record")


@dataclasses.dataclass(frozen=True)
class EpochMeasurement:
    """Training of a few epochs, as one process saw it.

    Attributes:
        system: `pytorch` or `tf_finetune`.
        versions: Version of each library that matters.
        device: `cpu`, or the accelerator's name.
        threads: Threads the framework computes one operation with.
        frozen_depth: Frozen depth k.
        trainable_parameters: Trained numbers, head included.
        padding: `dynamic` (to the longest text of a length-grouped batch) or `fixed128`.
        batch_size: Examples a step.
        epochs: Epochs asked for.
        steps_per_epoch: Steps of a full epoch.
        timed_steps: Steps that ran and were timed, over all epochs.
        padded_tokens_per_epoch: Token positions computed in a full epoch, padding included.
        extrapolated: Whether `seconds_per_epoch` was computed from the first steps of one epoch.
        seconds_per_epoch: Mean over the epochs of the time inside training steps: collating,
            forward, backward, update. The first step (tracing, allocation) is in it, and so is
            `fill_seconds`; tokenisation and evaluation are not.
        first_step_seconds: The first step alone.
        seconds_to_first_step: From the start of the process to the end of the first step:
            imports, reading, tokenisation, loading, building, tracing.
        examples_per_second: Training examples of an epoch over `seconds_per_epoch`.
        peak_rss_bytes: Largest resident memory of the process, evaluation included.
        validation_accuracy: Accuracy after the last epoch; None where the run was cut short.
        cached: Whether the states at the frozen boundary were kept and read.
        fill_seconds: What deciding on that cache and filling it took, once for all epochs.
    """

    system: str
    versions: dict[str, str]
    device: str
    threads: int
    frozen_depth: int
    trainable_parameters: int
    padding: str
    batch_size: int
    epochs: int
    steps_per_epoch: int
    timed_steps: int
    padded_tokens_per_epoch: int
    extrapolated: bool
    seconds_per_epoch: float
    first_step_seconds: float
    seconds_to_first_step: float
    examples_per_second: float
    peak_rss_bytes: int
    validation_accuracy: float | None
    cached: bool = False
    fill_seconds: float = 0.0


def print_measurement(measurement: Any) -> None:
    """Prints a record, some dataclass, as one JSON line."""
    print(json.dumps(dataclasses.asdict(measurement)), flush=True)


def parse_measurement(stdout: str) -> EpochMeasurement:
    """Reads the record from the last line of a program's output.

    Raises:
        BenchError: If the last line is not such a record.
    """
    return parse_last_line(stdout, lambda fields: EpochMeasurement(**fields))


def parse_last_line(stdout: str, read: Callable[[dict[str, Any]], Record]) -> Record:
    """Reads a record from the last line of a program's output.

    Args:
        stdout: The output.
        read: Makes the record of its JSON fields.

    Raises:
        BenchError: If the last line is not such a record.
    """
    lines = stdout.strip().splitlines()
    try:
        return read(json.loads(lines[-1]))
    except (IndexError, KeyError, ValueError, TypeError) as error:
        last = lines[-1][:200] if lines else "nothing"
        raise BenchError(
            f"the measured program did not end with its JSON line ({error}). Received: {last}"
        ) from error


def peak_rss_bytes() -> int:
    """The largest resident memory this process ever had, in bytes."""
    import resource  # Unix only, and the orchestrator imports this module anywhere

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


class StepClock:
    """Collects the time of training steps and nothing else.

    Args:
        started_at: `time.time()` just before the process was started, from its parent.
    """

    def __init__(self, started_at: float) -> None:
        self._started_at = started_at
        self._begun = 0.0
        self.seconds_to_first_step = 0.0
        self.step_seconds: list[float] = []

    def __enter__(self) -> "StepClock":
        self._begun = time.perf_counter()
        return self

    def __exit__(self, *_: object) -> None:
        self.step_seconds.append(time.perf_counter() - self._begun)
        if len(self.step_seconds) == 1:
            self.seconds_to_first_step = time.time() - self._started_at


def seconds_of_all_steps(
    step_seconds: list[float], step_tokens: list[int], total: int, warmup_steps: int = 1
) -> float:
    """The time of a training of which the first steps were timed, or all of them.

    The steps that did not run are charged by their padded tokens, at the rate of the timed
    steps without the first ones, which pay once for tracing and allocation.

    Args:
        step_seconds: Seconds of each timed step; more than `warmup_steps` unless all ran.
        step_tokens: Padded tokens of each timed step.
        total: Padded tokens of the whole training.
        warmup_steps: Steps that say nothing about those that did not run.
    """
    left = total - sum(step_tokens)
    if left == 0:
        return sum(step_seconds)
    rate = sum(step_seconds[warmup_steps:]) / sum(step_tokens[warmup_steps:])
    return sum(step_seconds) + rate * left
