"""What a report page shows, as plain data: nothing here knows how it was found or is drawn."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from tf_finetune.data.folds import OUT_OF_FOLD
from tf_finetune.evaluation.report import EvaluationReport
from tf_finetune.reports.page.numbers import rate
from tf_finetune.results.learning_curve import LearningCurve
from tf_finetune.results.recommendation import Recommendation
from tf_finetune.results.trial import METHOD, Cell, TrialResult


def scored_on(folds: int | None) -> str:
    """What a configuration is scored on, before the name of a score."""
    return "validation" if folds is None else OUT_OF_FOLD


@dataclass(frozen=True)
class Turn:
    """When and why a search ran a trial.

    Attributes:
        number: Its place in the order in which trials ended, from 1.
        stage: What asked for it, such as "first" (the first answer), "explore" or "race".
        seconds: From its beginning to its end.
        why: What a race ran it for, in a few words.
        chance_right: Of a race, the probability that the likeliest answer was right without it.
    """

    number: int
    stage: str
    seconds: float
    why: str = ""
    chance_right: float | None = None


@dataclass(frozen=True)
class TrialRow:
    """One trained model of a search, or the only one of a run.

    Attributes:
        depth: The frozen depth.
        learning_rate: The peak learning rate; None where the head was solved exactly.
        seed: The training seed.
        extra: Options of further dimensions by dotted name.
        status: "completed" or "failed".
        reason: Why it failed.
        score: The monitored validation score; None without one.
        trainable_parameters: Number of parameters that were trained.
        seconds_per_epoch: Wall time of one epoch, its share of filling a prefix cache included.
        train_seconds: Wall time of the whole training.
        examples_per_second: Training throughput.
        peak_memory_bytes: The most memory in use; None if not measured.
        answer_flops: Floating-point operations of an answer to a text of mean length.
        epochs: Epochs trained.
        history: One entry an epoch: `loss`, and each validation score as `val_NAME`.
        turn: When and why it was run; None of a single run.
    """

    depth: int
    learning_rate: float | None
    seed: int
    extra: Mapping[str, Any] = field(default_factory=dict)
    status: str = "completed"
    reason: str | None = None
    score: float | None = None
    trainable_parameters: int | None = None
    seconds_per_epoch: float | None = None
    train_seconds: float | None = None
    examples_per_second: float | None = None
    peak_memory_bytes: float | None = None
    answer_flops: float | None = None
    epochs: int | None = None
    history: tuple[Mapping[str, float | None], ...] = ()
    turn: Turn | None = None

    @classmethod
    def of(
        cls,
        result: TrialResult,
        history: tuple[Mapping[str, float | None], ...] = (),
        turn: Turn | None = None,
    ) -> "TrialRow":
        """The row of what came of a trial."""
        cell = result.cell
        own = ("depth", "learning_rate", "extra", "history", "turn")
        same = {f.name: getattr(result, f.name) for f in fields(cls) if f.name not in own}
        return cls(
            depth=cell.frozen_depth,
            learning_rate=cell.learning_rate,
            extra=dict(cell.extra),
            history=history,
            turn=turn,
            **same,
        )

    @property
    def cell(self) -> Cell:
        """What was tried, without the seed."""
        return Cell(self.depth, self.learning_rate, tuple(self.extra.items()))

    @property
    def completed(self) -> bool:
        """Whether the trial has a score."""
        return self.status == "completed" and self.score is not None and math.isfinite(self.score)

    @property
    def name(self) -> str:
        """What it tried, such as `depth=4 lr=3e-4 seed=0`."""
        named = {METHOD: self.cell.place.method_name} if METHOD in self.extra else {}
        further = "".join(f" {name}={value}" for name, value in {**self.extra, **named}.items())
        how = self.rate_words.replace(" ", "=")
        return f"depth={self.depth} {how}{further} seed={self.seed}"

    @property
    def is_solved(self) -> bool:
        """Whether the head was solved exactly; an entry of the history is then a penalty."""
        return self.learning_rate is None

    @property
    def rate_words(self) -> str:
        """The learning rate with its name, such as `lr 3e-4`; `exact` for a head without."""
        return rate(None) if self.is_solved else f"lr {rate(self.learning_rate)}"


@dataclass(frozen=True)
class NextStep:
    """A command to copy: what it does, and its line."""

    purpose: str
    line: str


@dataclass(frozen=True)
class ReportContent:
    """Everything on the page of a search or of a single run.

    Attributes:
        title: The heading, such as "How deep to fine-tune reviews.csv".
        summary: Sentences on top where there is no `search`, which brings its own.
        encoder: Name of the encoder.
        created: Date and time, as it is to be read.
        metric: The monitored validation score; its history is `val_METRIC`.
        trials: The trials of a search; of a run, itself.
        reports: Scores of the final model by split, the one to look at first.
        plan: The freeze plan of the final model, as `FreezePlan.to_dict`.
        data: The data, as `DataSummary.to_dict`.
        commands: What to do next.
        versions: Of the software, by name.
        search: The answer of a search; None for a single run.
        config: The resolved configuration as YAML; empty leaves it out.
        preflight: From `read_preflight`; None leaves it out.
        read: What the head reads of a text, in words.
        asked_chance: The probability of being right at which a race ends; None without one.
        learning_curve: Score by number of labels; None leaves it out.
    """

    title: str
    summary: tuple[str, ...]
    encoder: str
    created: str
    metric: str
    trials: tuple[TrialRow, ...]
    reports: Mapping[str, EvaluationReport]
    plan: Mapping[str, Any] | None
    data: Mapping[str, Any] | None
    commands: tuple[NextStep, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    search: Recommendation | None = None
    config: str = ""
    preflight: Mapping[str, Any] | None = None
    read: str = ""
    asked_chance: float | None = None
    learning_curve: LearningCurve | None = None

    @property
    def folds(self) -> int | None:
        """How many folds took the place of a validation split; None if none did."""
        return next((len(report.folds) for report in self.reports.values() if report.folds), None)

    @property
    def scored_on(self) -> str:
        """What the examples are that a trial is scored on."""
        return scored_on(self.folds)

    @property
    def compared_on(self) -> str:
        """Those that the answer of a search rests on; of heads alone these are more."""
        return self.scored_on if self.search is None else scored_on(self.search.folds)

    def is_recommended(self, trial: TrialRow) -> bool:
        """Whether a trial is of the recommended cell."""
        if self.search is None:
            return True
        return trial.cell == self.search.recommended.cell

    def to_dict(self) -> dict[str, Any]:
        """What `report.json` holds: every number of the page, before rounding."""
        content = {
            name: getattr(self, name)
            for name in ("title", "summary", "encoder", "read", "created", "metric", "plan", "data")
        }
        recommendation = None
        if self.search is not None:
            front = self.search.pareto_front
            recommendation = self.search.to_dict()
            recommendation["pareto_depths"] = [result.depth for result in front]
            if self.search.methods:
                recommendation["pareto_methods"] = [
                    result.place.method_name or None for result in front
                ]
        return {
            **content,
            "recommendation": recommendation,
            "trials": [asdict(trial) for trial in self.trials],
            "reports": {name: report.to_dict() for name, report in self.reports.items()},
            "commands": [asdict(command) for command in self.commands],
            "versions": dict(self.versions),
            "config": self.config,
            "preflight": self.preflight,
        }
