"""Writes what a run found: histories, scores, page and events; then the run is finished."""

import shlex
import shutil

from rich.console import Console
from rich.text import Text

from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.data.loading import Splits
from tf_finetune.errors import visible
from tf_finetune.evaluation.report import EvaluationReport
from tf_finetune.invocation import command_line
from tf_finetune.reports.console import render_metrics
from tf_finetune.reports.page.run_content import run_content
from tf_finetune.reports.page.writing import write_report_page
from tf_finetune.reports.tensorboard import write_report_summaries
from tf_finetune.runs.metrics_file import write_evaluation, write_metrics
from tf_finetune.storage.run_directory import RunDirectory
from tf_finetune.training.rounds import TrainedRounds
from tf_finetune.training.run_result import RunResult


def write_run_report(
    run: RunDirectory,
    result: RunResult,
    reports: dict[str, EvaluationReport],
    splits: Splits,
    config: ExperimentConfig,
    console: Console,
    rounds: TrainedRounds | None = None,
) -> None:
    """Writes what a run found, prints it, and marks the run as finished.

    Args:
        run: Its folder.
        result: The training of the final model.
        reports: From `score_splits`.
        splits: The data.
        config: The resolved configuration.
        console: Where to print.
        rounds: With folds, their trainings.
    """
    tensorboard = config.run.tensorboard
    run.write_json(
        run.history,
        {
            "best_epoch": result.best_epoch,
            "micro_batches": result.micro_batches,
            "epochs": result.history,
            "folds": [
                {"best_epoch": one.best_epoch, "epochs": one.history}
                for one in (rounds.results if rounds else ())
            ],
        },
    )
    write_evaluation(run.evaluation, reports)
    if tensorboard:
        write_report_summaries(run.events, reports, result.best_epoch)
    content = run_content(
        config,
        run.path,
        splits.labels.monitor(config.training.monitor)[0],
        result.history,
        result.best_epoch,
        reports,
        result.model.classifier.plan.to_dict(),
        splits.summary.to_dict(),
        run.events if tensorboard else None,
        rounds.history if rounds else (),
    )
    write_report_page(run.report, content)
    write_metrics(run.metrics, reports)  # the last of them: it marks the run as finished
    run.write_manifest()
    shutil.rmtree(run.checkpoints, ignore_errors=True)  # what is left does no harm
    for report in reports.values():
        render_metrics(console, report)
    console.print(Text(visible("\n".join(_places(run, tensorboard)))), soft_wrap=True)


def _places(run: RunDirectory, tensorboard: bool) -> list[str]:
    """What was written where, and what to do with it."""
    lines = [
        f"report       {run.report}",
        f"model        {run.model}",
        f"metrics      {run.metrics}, {run.evaluation.name}",
        f"predict      {command_line('predict')} {shlex.quote(str(run.path))} FILE",
    ]
    if tensorboard:
        lines.append(f"tensorboard  tensorboard --logdir {run.events}")
    return lines
