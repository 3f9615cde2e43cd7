"""What a search found, all of it, for reports and for `search.json`."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.data.summary import DataSummary
from tf_finetune.evaluation.report import EvaluationReport
from tf_finetune.invocation import command_line
from tf_finetune.plans.freezing import FreezePlan
from tf_finetune.reports.page.content import NextStep
from tf_finetune.results.learning_curve import LearningCurve
from tf_finetune.results.recommendation import Recommendation
from tf_finetune.searches.answer.ensemble_result import EnsembleResult
from tf_finetune.searches.leading.schedule import NotRun
from tf_finetune.searches.running.directory import INTERRUPTED
from tf_finetune.searches.running.records import TrialRecord
from tf_finetune.searches.running.trial_request import TrialRequest
from tf_finetune.tasks.labels import LabelSpace
from tf_finetune.training.run_result import RunResult


@dataclass(frozen=True)
class SearchOutcome:
    """A finished search.

    Attributes:
        path: The run folder.
        config: The configuration of the search.
        chosen_config: That of the final training: chosen cell, first seed.
        chosen: The chosen cell and seed.
        encoder: Name of the encoder.
        labels: What the outputs are.
        summary: What the data holds, with warnings.
        metric: The score that decided.
        records: Every trial, in the order in which they were asked for.
        not_run: What the time budget had no room for.
        recommendation: The answer.
        notes: Sentences about how the search was led.
        plan: The freeze plan of the chosen depth.
        run: The final training.
        reports: Scores of the final model by split, test first.
        search_seconds: Time of all trials together.
        ensemble: What the ensemble of the cell's seeds is worth; None without one.
        learning_curve: Score by number of labels, where that was asked for.
        interrupted: Whether Ctrl-C ended it before its last trial.
    """

    path: Path
    config: ExperimentConfig
    chosen_config: ExperimentConfig
    chosen: TrialRequest
    encoder: str
    labels: LabelSpace
    summary: DataSummary
    metric: str
    records: tuple[TrialRecord, ...]
    not_run: NotRun
    recommendation: Recommendation
    notes: tuple[str, ...]
    plan: FreezePlan
    run: RunResult
    reports: Mapping[str, EvaluationReport]
    search_seconds: float
    ensemble: EnsembleResult | None = None
    learning_curve: LearningCurve | None = None
    interrupted: bool = False

    @property
    def all_reports(self) -> dict[str, EvaluationReport]:
        """Scores of the final model by split, then those of the ensemble."""
        return {**self.reports, **(self.ensemble.reports if self.ensemble else {})}

    @property
    def commands(self) -> tuple[NextStep, ...]:
        """What to type next."""
        path = shlex.quote(str(self.path))
        lines = {
            "predict": f"{command_line('predict')} {path} FILE",
            "evaluate": f"{command_line('evaluate')} {path} FILE",
            "train it": f"{command_line('train')} --config {path}/chosen.yaml "
            f"run.dir={path}-trained",
            "search again": f"{command_line('search')} --config {path}/config.yaml "
            f"run.dir={path}-again",
        }
        if self.config.run.tensorboard:
            lines["tensorboard"] = f"tensorboard --logdir {path}"
        return tuple(NextStep(purpose, line) for purpose, line in lines.items())

    def to_dict(self) -> dict[str, Any]:
        """Every number, as JSON."""
        return {
            "answer": self.recommendation.sentence,
            "recommendation": self.recommendation.to_dict(),
            "notes": list(self.notes),
            "learning_curve": self.learning_curve.to_dict() if self.learning_curve else None,
            "metric": self.metric,
            "encoder": self.encoder,
            "task": self.labels.task,
            "label_names": list(self.labels.names),
            "trials": [record.to_dict() for record in self.records],
            INTERRUPTED: self.interrupted,
            "not_run": self.not_run.total,
            "skipped": [request.to_dict() for request in self.not_run.known],
            "chosen": {
                **self.chosen.to_dict(),
                "trained_on_validation": self.config.search.train_on_validation,
                "best_epoch": self.run.best_epoch,
                "epochs": self.run.history,
                "scores": {split: report.metrics for split, report in self.reports.items()},
            },
            "ensemble": None if self.ensemble is None else self.ensemble.to_dict(),
            "plan": self.plan.to_dict(),
            "data": self.summary.to_dict(),
            "search_seconds": self.search_seconds,
            "commands": {command.purpose: command.line for command in self.commands},
            "config": self.config.model_dump(mode="json"),
        }
