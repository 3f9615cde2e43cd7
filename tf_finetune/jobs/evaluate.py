"""Scores a trained model on its own test split or on other labelled examples."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from rich.console import Console

from tf_finetune.data.loading import load_split, load_splits
from tf_finetune.data.splits import Split
from tf_finetune.errors import UserError
from tf_finetune.evaluation.report import EvaluationReport
from tf_finetune.jobs.examples import check_examples
from tf_finetune.runs.added_files import added_to
from tf_finetune.runs.metrics_file import write_evaluation, write_metrics
from tf_finetune.runs.opening import OpenedRun

if TYPE_CHECKING:
    from tf_finetune.runs.ensemble import Ensemble


class Evaluation(NamedTuple):
    """What a model scored.

    Attributes:
        report: The scores, without explanations of the mistakes.
        written: Where: the beginning of the paths of the files.
    """

    report: EvaluationReport
    written: Path


class _Examples(NamedTuple):
    split: Split
    train_targets: np.ndarray | None  # of the run's own, for baselines
    name: str


def evaluate(
    opened: OpenedRun,
    file: str | None,
    console: Console,
    *,
    load: Callable[[], "Ensemble"] | None = None,
) -> Evaluation:
    """Scores a model, and writes that into the folder of its run.

    Args:
        opened: The run.
        file: Labelled examples, written as `data.test`; None: the run's own test split, or else
            its validation split.
        console: Where reading a file is told.
        load: Gives the model, for a caller who has it; None: it is loaded.

    Raises:
        UserError: The examples are not there or not as they should be, which is told before the
            model is loaded where it shows without it, or other evaluations are being written.
    """
    check_examples(opened.config, file)

    from tf_finetune.runs.scoring import explained, split_report

    trained = (load or opened.load)()
    run, config, labels = opened.run, opened.config, opened.labels
    split, train_targets, name = _load_examples(opened, trained, file, console)
    averaged = len(trained.members) > 1
    logits = trained.split_logits(split)
    report = split_report(labels, split, logits, config, train_targets, averaged=averaged)
    reports = {split.name: report}
    if not averaged:
        classifier = trained.members[0].classifier
        reports = explained(classifier, labels, reports, {split.name: split}, config)

    with added_to(run.path, "evaluations") as folder:
        write_metrics(folder / f"{name}.metrics.json", reports)
        write_evaluation(folder / f"{name}.evaluation.json", reports)
    return Evaluation(report, folder / name)


def _load_examples(
    opened: OpenedRun, trained: "Ensemble", file: str | None, console: Console
) -> _Examples:
    run, data = opened.run, opened.config.data
    if file is not None:
        split = load_split(data, file, trained.tokenizer, opened.labels, console=console)
        return _Examples(split, None, Path(file.split(":")[-1]).stem)
    splits, _ = load_splits(data, trained.tokenizer)
    own = splits.test or splits.validation
    if own is None:
        raise UserError(
            f"{run.path}: this run has neither test nor validation split; give FILE",
            hint=None
            if splits.folds is None
            else f"Its out-of-fold scores stand in {run.metrics}; they are those of the "
            "models of the folds, which are gone.",
        )
    return _Examples(own, splits.train.labels, own.name)
