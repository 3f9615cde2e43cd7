"""What a report page shows, as plain data: nothing here knows how it was found or is drawn."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from tf_finetune.data.folds import OUT_OF_FOLD
from tf_finetune.evaluation.report import EvaluationReport
from tf_finetune.reports.page.numbers import rate


def scored_on(folds: int | None) -> str:
    """What a configuration is scored on, before the name of a score."""
    return "validation" if folds is None else OUT_OF_FOLD


@dataclass(frozen=True)
class TrialRow:
    """One trained model of a search, or the only one of a run.

    Attributes:
        depth: The frozen depth.
        learning_rate: The peak learning rate.
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
        epochs: Epochs trained.
        history: One entry an epoch: `loss`, and each validation score as `val_NAME`.
    """

    depth: int
    learning_rate: float
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
    epochs: int | None = None
    history: tuple[Mapping[str, float | None], ...] = ()

    @property
    def completed(self) -> bool:
        """Whether the trial has a score."""
        return self.status == "completed" and self.score is not None and math.isfinite(self.score)

    @property
    def name(self) -> str:
        """What it tried, such as `depth=4 lr=3e-4 seed=0`."""
        further = "".join(f" {name}={value}" for name, value in self.extra.items())
        return f"depth={self.depth} lr={rate(self.learning_rate)}{further} seed={self.seed}"


@dataclass(frozen=True)
class DepthRow:
    """What a search found at one depth; the names are those of the recommendation.

    Attributes:
        depth: The frozen depth.
        learning_rate: Rate of its best cell.
        extra: Further options of its best cell, by dotted name.
        rate_edge: "lowest" or "highest" if that rate is an end of those tried, "only" if
            there was no other.
        seeds: The seeds of its best cell.
        score: Its score, with the interval from low to high.
        low: Lower end.
        high: Upper end.
        standard_error: Of the score.
        trainable_parameters: Number of parameters that are trained.
        seconds_per_epoch: Wall time of one epoch, its share of filling a prefix cache included.
        peak_memory_bytes: The most memory in use; None if not measured.
        relative_time: Seconds an epoch as a multiple of the reference depth's.
        relative_memory: Memory likewise.
        difference: How much worse than the best depth on what both have in common; None for
            the best itself, as are the following.
        difference_error: Standard error of the difference.
        p_value: Of the difference, adjusted for the number of pairs.
    """

    depth: int
    learning_rate: float
    extra: Mapping[str, Any]
    rate_edge: str | None
    seeds: tuple[int, ...]
    score: float
    low: float
    high: float
    standard_error: float
    trainable_parameters: int
    seconds_per_epoch: float
    peak_memory_bytes: float | None
    relative_time: float | None
    relative_memory: float | None
    difference: float | None
    difference_error: float | None
    p_value: float | None


@dataclass(frozen=True)
class SearchAnswer:
    """The answer of a search.

    Attributes:
        answer: What to do, what it scores and at what price, in a sentence.
        certainty: How sure that is, in a sentence or two.
        alternatives: Other choices, a sentence each.
        notes: What to know before acting, a sentence each.
        metric: The score that decided.
        higher_is_better: Whether it does.
        num_layers: Layers of the encoder.
        num_examples: Validation examples.
        confidence: Coverage of the intervals.
        recommended_depth: The depth to use.
        best_depth: The depth with the best score.
        acceptable_depth: The cheapest that surely loses little.
        reference_depth: The depth in whose units relative costs are.
        depths: What was found, by ascending depth.
        record: The whole recommendation, for `report.json`.
        folds: How many folds took the place of a validation split; None if there was one.
    """

    answer: str
    certainty: str
    alternatives: tuple[str, ...]
    notes: tuple[str, ...]
    metric: str
    higher_is_better: bool
    num_layers: int
    num_examples: int
    confidence: float
    recommended_depth: int
    best_depth: int
    acceptable_depth: int
    reference_depth: int
    depths: tuple[DepthRow, ...]
    record: Mapping[str, Any]
    folds: int | None = None

    @property
    def scored_on(self) -> str:
        """What the examples are that decided."""
        return scored_on(self.folds)

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> "SearchAnswer":
        """Reads the dictionary of a recommendation.

        Args:
            record: What `search.recommendation.Recommendation.to_dict` gives.
        """
        same = {
            name: record[name]
            for name in (
                *("answer", "certainty", "metric", "higher_is_better", "num_layers"),
                *("num_examples", "confidence", "recommended_depth", "best_depth"),
                *("acceptable_depth", "reference_depth"),
            )
        }
        return cls(
            **same,
            alternatives=tuple(record["alternatives"]),
            notes=tuple(record["notes"]),
            depths=tuple(_depth_row(depth) for depth in record["depths"]),
            record=record,
            folds=record["folds"],
        )

    def at(self, depth: int) -> DepthRow:
        """What was found at a depth."""
        return next(row for row in self.depths if row.depth == depth)

    @property
    def recommended(self) -> DepthRow:
        """What was found at the recommended depth."""
        return self.at(self.recommended_depth)

    @property
    def best(self) -> DepthRow:
        """What was found at the best depth."""
        return self.at(self.best_depth)

    @property
    def pareto_depths(self) -> tuple[int, ...]:
        """Depths that no other one beats in score without costing more, cheapest first."""
        sign = 1.0 if self.higher_is_better else -1.0
        front: list[DepthRow] = []
        for row in sorted(self.depths, key=lambda r: (r.seconds_per_epoch, -sign * r.score)):
            if not front or sign * row.score > sign * front[-1].score:
                front.append(row)
        return tuple(row.depth for row in front)


@dataclass(frozen=True)
class Command:
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
    commands: tuple[Command, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    search: SearchAnswer | None = None
    config: str = ""
    preflight: Mapping[str, Any] | None = None

    @property
    def folds(self) -> int | None:
        """How many folds took the place of a validation split; None if none did."""
        return next((len(report.folds) for report in self.reports.values() if report.folds), None)

    @property
    def scored_on(self) -> str:
        """What the examples are that a configuration is scored on."""
        return scored_on(self.folds)

    def is_recommended(self, trial: TrialRow) -> bool:
        """Whether a trial is of the recommended cell."""
        if self.search is None:
            return True
        cell = self.search.recommended
        return (trial.depth, trial.learning_rate, dict(trial.extra)) == (
            cell.depth,
            cell.learning_rate,
            dict(cell.extra),
        )

    def to_dict(self) -> dict[str, Any]:
        """What `report.json` holds: every number of the page, before rounding."""
        content = {
            name: getattr(self, name)
            for name in ("title", "summary", "encoder", "created", "metric", "plan", "data")
        }
        recommendation = None
        if self.search is not None:
            front = self.search.pareto_depths
            recommendation = {**self.search.record, "pareto_depths": list(front)}
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


def _depth_row(record: Mapping[str, Any]) -> DepthRow:
    to_best = record["to_best"] or {}
    same = {
        name: record[name]
        for name in (
            *("rate_edge", "score", "low", "high", "standard_error", "trainable_parameters"),
            *("seconds_per_epoch", "peak_memory_bytes", "relative_time", "relative_memory"),
        )
    }
    return DepthRow(
        **same,
        depth=record["cell"]["frozen_depth"],
        learning_rate=record["cell"]["learning_rate"],
        extra=dict(record["cell"]["extra"]),
        seeds=tuple(record["seeds"]),
        difference=to_best.get("difference"),
        difference_error=to_best.get("standard_error"),
        p_value=to_best.get("adjusted_p_value"),
    )
