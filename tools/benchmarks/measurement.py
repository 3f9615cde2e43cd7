"""What a measured program reports: one record, printed as the last line of its stdout.

Both sides fill the same fields, so that the comparison can check that they did the same work
before it compares their times. Only the standard library: two environments import this.
"""

import dataclasses
import json
import sys
import time

from tools.benchmarks.torch_environment import BenchError


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
            forward, backward, update. The first step (tracing, allocation) is in it;
            tokenisation and evaluation are not.
        first_step_seconds: The first step alone.
        seconds_to_first_step: From the start of the process to the end of the first step:
            imports, reading, tokenisation, loading, building, tracing.
        examples_per_second: Training examples of an epoch over `seconds_per_epoch`.
        peak_rss_bytes: Largest resident memory of the process, evaluation included.
        validation_accuracy: Accuracy after the last epoch; None where the run was cut short.
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


def print_measurement(measurement: EpochMeasurement) -> None:
    """Prints the record as one JSON line."""
    print(json.dumps(dataclasses.asdict(measurement)), flush=True)


def parse_measurement(stdout: str) -> EpochMeasurement:
    """Reads the record from the last line of a program's output.

    Raises:
        BenchError: If the last line is not such a record.
    """
    lines = stdout.strip().splitlines()
    try:
        fields = json.loads(lines[-1])
        return EpochMeasurement(**fields)
    except (IndexError, ValueError, TypeError) as error:
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


def seconds_of_an_epoch(step_seconds: list[float], step_tokens: list[int], total: int) -> float:
    """The time of an epoch of which the first steps were timed.

    The steps that did not run are charged by their padded tokens, at the rate of the timed
    steps without the first, which pays once for allocation.

    Args:
        step_seconds: Seconds of each timed step, at least two.
        step_tokens: Padded tokens of each timed step.
        total: Padded tokens of the whole epoch.
    """
    rate = sum(step_seconds[1:]) / sum(step_tokens[1:])
    return sum(step_seconds) + rate * (total - sum(step_tokens))
