"""What a measured sweep reports, and how a few timed steps become a whole one.

A sweep tries every frozen depth at several learning rates. A program either runs all of its
trials, or one trial a depth of which only the first steps are timed. Only the standard
library: two environments import this.
"""

import dataclasses
from collections.abc import Iterable
from typing import Any, NamedTuple

from tools.benchmarks.measurement import parse_last_line, seconds_of_all_steps

# The first steps of a trial trace, allocate and warm up; what is left out is not charged by them.
WARMUP_STEPS = 3


class TrialSeconds(NamedTuple):
    """The time of one trial, in its parts.

    Attributes:
        starting: Everything else: building and loading the model, and between the parts.
        training: In training steps, over all epochs.
        evaluating: Scoring the validation examples after every epoch.
    """

    starting: float
    training: float
    evaluating: float


@dataclasses.dataclass(frozen=True)
class TimedTrial:
    """What was timed of a trial, all of it or its beginning.

    Attributes:
        wall_seconds: From the beginning of the trial to the end of what ran.
        step_seconds: Of each training step that ran.
        step_tokens: Padded tokens of each of them.
        total_tokens: Padded tokens of all steps of the whole trial.
        evaluation_seconds: Of each evaluation that ran, at least one.
        epochs: Epochs of the whole trial, each with an evaluation.
    """

    wall_seconds: float
    step_seconds: list[float]
    step_tokens: list[int]
    total_tokens: int
    evaluation_seconds: list[float]
    epochs: int

    def seconds(self) -> TrialSeconds:
        """The time of the whole trial.

        Evaluations that did not run are charged like the last one that did; the first may
        contain a trace.
        """
        evaluated = sum(self.evaluation_seconds)
        missing = self.epochs - len(self.evaluation_seconds)
        return TrialSeconds(
            starting=self.wall_seconds - sum(self.step_seconds) - evaluated,
            training=seconds_of_all_steps(
                self.step_seconds, self.step_tokens, self.total_tokens, WARMUP_STEPS
            ),
            evaluating=evaluated + missing * self.evaluation_seconds[-1],
        )


@dataclasses.dataclass(frozen=True)
class TrialMeasurement:
    """One trial: a model built, trained, and scored after every epoch.

    Attributes:
        frozen_depth: Frozen depth k.
        learning_rate: Peak learning rate.
        epochs: Epochs that it trains for.
        seconds: From its beginning to its end.
        parts: The same in parts; None where the system does not tell.
        trainable_parameters: Trained numbers, head included; None if the trial failed.
        extrapolated: Whether only its first steps were run.
        stands_for: How many trials of the sweep it stands for, itself included.
        validation_accuracy: After the last epoch; None where it was cut short or failed.
    """

    frozen_depth: int
    learning_rate: float
    epochs: int
    seconds: float
    parts: TrialSeconds | None
    trainable_parameters: int | None
    extrapolated: bool = False
    stands_for: int = 1
    validation_accuracy: float | None = None

    @property
    def cell(self) -> tuple[int, float]:
        """Depth and rate."""
        return self.frozen_depth, self.learning_rate


@dataclasses.dataclass(frozen=True)
class SweepMeasurement:
    """A sweep, as one process saw it.

    Attributes:
        versions: Version of each library that matters.
        padding: `dynamic` or `fixed128`.
        batch_size: Examples a step.
        epochs: Epochs of a trial that is not given up.
        trials: The trials in the order in which they ran.
        seconds_outside_trials: Imports, reading, tokenisation, and what lies between trials.
        sweep_seconds: From the start of the process to the end of the last trial.
        peak_rss_bytes: Largest resident memory up to then.
        recommended: Depth and rate (None: solved exactly) that the system itself recommends; None
            if it does not.
    """

    versions: dict[str, str]
    padding: str
    batch_size: int
    epochs: int
    trials: tuple[TrialMeasurement, ...]
    seconds_outside_trials: float
    sweep_seconds: float
    peak_rss_bytes: int
    recommended: tuple[int, float | None] | None = None

    @property
    def extrapolated(self) -> bool:
        """Whether `sweep_seconds` was computed from a part of the sweep."""
        return any(trial.extrapolated or trial.stands_for > 1 for trial in self.trials)

    @property
    def count(self) -> int:
        """Trials of the whole sweep."""
        return sum(trial.stands_for for trial in self.trials)

    @property
    def best(self) -> TrialMeasurement | None:
        """The trial with the highest accuracy of those that had every epoch."""
        scored = [trial for trial in self._full if trial.validation_accuracy is not None]
        return max(scored, key=lambda trial: trial.validation_accuracy or 0.0, default=None)

    @property
    def answer(self) -> TrialMeasurement | None:
        """The trial that is recommended, or else the best one."""
        found = [trial for trial in self._full if trial.cell == self.recommended]
        return found[0] if found else self.best

    def seconds_at(self, depth: int) -> float:
        """Seconds of all trials at one depth."""
        return sum(t.seconds * t.stands_for for t in self.trials if t.frozen_depth == depth)

    @property
    def _full(self) -> list[TrialMeasurement]:
        return [trial for trial in self.trials if trial.epochs == self.epochs]

    def to_dict(self) -> dict[str, Any]:
        """As JSON, with what follows from the fields."""
        best = self.best
        return {
            **dataclasses.asdict(self),
            "trials": [_trial_dict(trial) for trial in self.trials],
            "extrapolated": self.extrapolated,
            "best": None if best is None else _trial_dict(best),
        }


def sweep_seconds(seconds_outside_trials: float, trials: Iterable[TrialMeasurement]) -> float:
    """Seconds of a sweep of which one trial stands for several."""
    return seconds_outside_trials + sum(trial.seconds * trial.stands_for for trial in trials)


def parse_sweep(stdout: str) -> SweepMeasurement:
    """Reads the record from the last line of a program's output.

    Raises:
        BenchError: If the last line is not such a record.
    """
    return parse_last_line(stdout, _sweep_of)


def _trial_dict(trial: TrialMeasurement) -> dict[str, Any]:
    """`dataclasses.asdict` keeps named tuples, which JSON writes without their names."""
    parts = None if trial.parts is None else trial.parts._asdict()
    return {**dataclasses.asdict(trial), "parts": parts}


def _sweep_of(fields: dict[str, Any]) -> SweepMeasurement:
    trials = tuple(_trial_of(trial) for trial in fields.pop("trials"))
    recommended = fields.pop("recommended")
    return SweepMeasurement(
        **fields,
        trials=trials,
        recommended=None if recommended is None else (recommended[0], recommended[1]),
    )


def _trial_of(fields: dict[str, Any]) -> TrialMeasurement:
    parts = fields.pop("parts")
    return TrialMeasurement(**fields, parts=None if parts is None else TrialSeconds(*parts))
