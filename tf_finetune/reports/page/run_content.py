"""The page of a single training run."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.config.saving import dump_config
from tf_finetune.encoders.pooling import words_of
from tf_finetune.evaluation.report import EvaluationReport
from tf_finetune.reports.console import baseline_title
from tf_finetune.reports.page import numbers
from tf_finetune.reports.page.content import ReportContent, TrialRow
from tf_finetune.reports.page.next_steps import (
    local_time,
    next_commands,
    short_name,
    software_versions,
)
from tf_finetune.tasks.metrics import METRICS
from tf_finetune.tasks.table import TASKS


def run_content(
    config: ExperimentConfig,
    run: Path,
    metric: str,
    history: Sequence[Mapping[str, float]],
    best_epoch: int,
    reports: Mapping[str, EvaluationReport],
    plan: Mapping[str, Any],
    data: Mapping[str, Any],
    events: Path | None,
    fold_history: Sequence[Mapping[str, float]] = (),
) -> ReportContent:
    """Gathers what there is to show of a run.

    Args:
        config: The resolved configuration.
        run: The run directory, which holds `config.yaml` and `model`.
        metric: The monitored validation score.
        history: One entry an epoch.
        best_epoch: Epoch whose weights were kept, counted from 1.
        reports: Scores by split, the headline one first.
        plan: The freeze plan, as `FreezePlan.to_dict`.
        data: The data, as `DataSummary.to_dict`.
        events: TensorBoard events, if there are any.
        fold_history: With folds, the means over their trainings, one entry an epoch: the
            learning curves that there are scores for.
    """
    seconds = [entry["seconds"] for entry in history]
    speeds = [entry["examples_per_second"] for entry in history]
    is_solved = config.training.solver == "exact"
    trial = TrialRow(
        depth=plan["frozen_depth"],
        learning_rate=None if is_solved else config.training.learning_rate,
        seed=config.training.seed,
        score=history[best_epoch - 1].get(f"val_{metric}") if history else None,
        trainable_parameters=plan["trainable_parameters"],
        seconds_per_epoch=sum(seconds) / len(seconds) if seconds else None,
        train_seconds=sum(seconds),
        examples_per_second=sum(speeds) / len(speeds) if speeds else None,
        epochs=len(history),
        history=tuple(fold_history or history),
    )
    return ReportContent(
        title=f"{short_name(config.encoder.name)} on {short_name(config.data.train or '?')}",
        summary=(_sentence(reports, plan), *_folds_sentence(reports)),
        encoder=config.encoder.name,
        read=words_of(config.encoder.pooling),
        created=local_time(),
        metric=metric,
        trials=(trial,),
        reports=reports,
        plan=plan,
        data=data,
        commands=tuple(next_commands(run, events)),
        versions=software_versions(),
        config=dump_config(config),
    )


def _sentence(reports: Mapping[str, EvaluationReport], plan: Mapping[str, Any]) -> str:
    """What the model scores, beside what needs no training."""
    frozen = f"with {plan['frozen_depth']} of {plan['num_layers']} layers frozen"
    if not reports:
        return f"Trained {frozen}; there were no examples to score it on."
    report = next(iter(reports.values()))
    name = TASKS[report.task].headline
    found = report.metrics[name]
    low, high = numbers.score(found["low"]), numbers.score(found["high"])
    text = (
        f"{report.split.capitalize()} {METRICS[name].title} {numbers.score(found['value'])} "
        f"({100 * report.confidence:g} % interval {low} to {high}) {frozen}"
    )
    others = [
        f"{baseline_title(baseline)} {numbers.score(scores[name])}"
        for baseline, scores in report.baselines.items()
    ]
    return f"{text}; to compare: {', '.join(others)}." if others else f"{text}."


def _folds_sentence(reports: Mapping[str, EvaluationReport]) -> list[str]:
    """How the folds scored, and over all where that is not the first sentence; none without."""
    for place, report in enumerate(reports.values()):
        if report.folds:
            name = TASKS[report.task].headline
            found = report.metrics[name]
            of_folds = sorted(fold.metrics[name]["value"] for fold in report.folds)
            scores = (
                f"{METRICS[name].title} {numbers.score(of_folds[0])} to "
                f"{numbers.score(of_folds[-1])} in the {len(report.folds)} folds"
            )
            if place:
                low, high = numbers.score(found["low"]), numbers.score(found["high"])
                scores += (
                    f", {numbers.score(found['value'])} over all "
                    f"({100 * report.confidence:g} % interval {low} to {high})"
                )
            return [
                f"Each of the {report.n:,} training examples was answered by a model that was not "
                f"trained on its fold: {scores}."
            ]
    return []
