"""Writes what a search found: JSON, the page, TensorBoard, and the console."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from rich.console import Console
from rich.text import Text

from tf_finetune.config.saving import dump_config
from tf_finetune.encoders.pooling import words_of
from tf_finetune.errors import visible
from tf_finetune.methods.settings import setting_of
from tf_finetune.reports.console import render_metrics
from tf_finetune.reports.hparams import write_hparams_columns, write_trial_hparams
from tf_finetune.reports.page.content import (
    NextStep,
    ReportContent,
    TrialRow,
    Turn,
    scored_on,
)
from tf_finetune.reports.page.next_steps import local_time, short_name, software_versions
from tf_finetune.reports.page.writing import write_report_page
from tf_finetune.reports.tensorboard import write_report_figures, write_report_summaries
from tf_finetune.results.trial import METHOD
from tf_finetune.runs.metrics_file import write_evaluation, write_metrics
from tf_finetune.searches.answer.outcome import SearchOutcome
from tf_finetune.searches.leading.first_answer import first_dimensions
from tf_finetune.searches.leading.job import SearchJob
from tf_finetune.searches.running.records import TrialRecord


def write_columns(job: SearchJob) -> None:
    """Says in TensorBoard which options the trials have."""
    space = job.space
    names = tuple(setting_of(method).setting for method in space.methods)
    methods: dict[str, tuple[Any, ...]] = {METHOD: names} if names else {}
    write_hparams_columns(
        job.directory.trials,
        job.metric,
        space.depths,
        [rate for place in space.places for rate in space.rates_at(place)],
        space.seeds,
        methods | first_dimensions(job) | dict(space.dimensions),
        scored_on(job.folds),
    )


def write_trial(job: SearchJob, record: TrialRecord) -> None:
    """Adds a trial's row in TensorBoard."""
    row = TrialRow.of(record.result, record.history)
    write_trial_hparams(job.directory.trials / record.folder / "events", row)


def write_search_report(job: SearchJob, outcome: SearchOutcome, console: Console) -> None:
    """Writes and prints everything; `metrics.json` last, because it marks the search finished."""
    directory, reports = job.directory, outcome.all_reports
    directory.write_json(directory.outcome, outcome.to_dict())
    directory.write_json(
        directory.history, {"best_epoch": outcome.run.best_epoch, "epochs": outcome.run.history}
    )
    write_evaluation(directory.evaluation, reports)
    content = report_content(outcome, job.preflight)
    if job.config.run.tensorboard:
        write_report_summaries(directory.events, reports, outcome.run.best_epoch)
        write_report_figures(directory.events, content)
    write_report_page(directory.report, content)
    write_metrics(directory.metrics, reports)
    directory.write_manifest()
    shutil.rmtree(directory.checkpoints, ignore_errors=True)  # what is left does no harm
    for report in reports.values():
        render_metrics(console, report)
    lines = [
        f"report       {directory.report}",
        f"model        {directory.model}",
        *([f"ensemble     {directory.ensemble}"] if outcome.ensemble else ()),
        f"numbers      {directory.outcome}, {directory.metrics.name}, {directory.evaluation.name}",
    ]
    lines += [f"{command.purpose:12} {command.line}" for command in outcome.commands]
    console.print(Text(visible("\n".join(lines))), soft_wrap=True)


def report_content(
    outcome: SearchOutcome, preflight: Mapping[str, Any] | None = None
) -> ReportContent:
    """What the page shows."""
    source = short_name(outcome.config.data.train or "?")
    found, search = outcome.recommendation, outcome.config.search
    return ReportContent(
        title=f"How deep to fine-tune {short_name(outcome.encoder)} on {source}",
        summary=(),
        encoder=outcome.encoder,
        read=words_of(outcome.chosen_config.encoder.pooling),
        created=local_time(),
        metric=outcome.metric,
        trials=trial_rows(outcome.records),
        reports=outcome.all_reports,
        plan=outcome.plan.to_dict(),
        data=outcome.summary.to_dict(),
        commands=tuple(NextStep(c.purpose.capitalize(), c.line) for c in outcome.commands),
        versions=software_versions(),
        search=replace(found, notes=(*found.notes, *outcome.notes)),
        config=dump_config(outcome.config),
        preflight=preflight,
        learning_curve=outcome.learning_curve,
        asked_chance=search.confidence if search.oracle == "race" else None,
    )


def trial_rows(records: Sequence[TrialRecord]) -> tuple[TrialRow, ...]:
    """The trials by depth, rate and seed, which know when and why each was run.

    Args:
        records: In the order in which they ended.
    """
    rows = {
        record.request.key: TrialRow.of(
            record.result,
            record.history,
            Turn(number, record.stage, record.wall_seconds, record.why, record.chance_right),
        )
        for number, record in enumerate(records, start=1)
    }
    return tuple(rows[record.request.key] for record in _ordered(records))


def _ordered(records: Sequence[TrialRecord]) -> list[TrialRecord]:
    """By depth, rate and seed: parallel and resumed searches end in another order."""
    return sorted(
        records,
        key=lambda r: (
            r.request.cell.frozen_depth,
            r.request.cell.rate_order,
            str(r.request.cell.extra),
            r.request.seed,
            r.request.epochs,
        ),
    )
