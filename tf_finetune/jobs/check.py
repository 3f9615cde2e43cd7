"""Checks a finished model with changed texts, known answers and parts of the data."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from rich.console import Console

from tf_finetune.data.chunks import in_chunks
from tf_finetune.data.loading import load_split, load_splits
from tf_finetune.data.permutation import stable_permutation
from tf_finetune.data.splits import Split
from tf_finetune.errors import UserError
from tf_finetune.evaluation.intervals import with_intervals
from tf_finetune.jobs.examples import check_examples
from tf_finetune.options.data import DataConfig
from tf_finetune.robustness.battery import Ask, Asked, Battery
from tf_finetune.robustness.checks import Checks
from tf_finetune.robustness.data_columns import columns_of, values_of_rows
from tf_finetune.robustness.fitting import check_goes_with
from tf_finetune.robustness.results import CheckReport
from tf_finetune.robustness.shift import FOLDS, Shift, shift_between
from tf_finetune.robustness.slices import LENGTH, score_slices
from tf_finetune.runs.added_files import added_to
from tf_finetune.runs.opening import OpenedRun
from tf_finetune.sources.records import Record
from tf_finetune.storage.files import write_json
from tf_finetune.tasks.table import check_able

if TYPE_CHECKING:
    from tf_finetune.runs.ensemble import Ensemble

MOST_TEXTS = 2_000  # unless more are asked for
_CHUNK = 4_096  # texts that are tokenised at a time


@dataclass(frozen=True)
class CheckOptions:
    """How a model is checked.

    Attributes:
        checks: What is checked.
        most_flipped: Largest share of a check's texts that may fail; None: any.
        tolerance: By how much an answer that is a number may change; None: the task's own.
        limit: Texts at most, drawn by the seed; 0: all.
        seed: Of the changes, and of the texts that are drawn.
        shift: Whether it is told how new the texts of a file are to the model.
    """

    checks: Checks
    most_flipped: float | None = None
    tolerance: float | None = None
    limit: int = MOST_TEXTS
    seed: int = 0
    shift: bool = False


class Checked(NamedTuple):
    """What a battery found.

    Attributes:
        report: All of it.
        written: Where: the beginning of the paths of its page and its JSON.
    """

    report: CheckReport
    written: Path


class _Examples(NamedTuple):
    split: Split
    source: str
    source_split: str
    name: str  # of the files that are written
    shown: str


def check_model(
    opened: OpenedRun,
    file: str | None,
    options: CheckOptions,
    console: Console,
    *,
    load: Callable[[], "Ensemble"] | None = None,
) -> Checked:
    """Runs checks on a model, and writes what they found into the folder of its run.

    Args:
        opened: The run.
        file: Labelled examples, written as `data.test`; None: the run's own test split, or else
            its validation split.
        options: What is checked, and how.
        console: Where reading a file and progress are told.
        load: Gives the model, for a caller who has it; None: it is loaded.

    Raises:
        UserError: The task cannot be checked, the examples are not there, or a check names what
            model or data do not have; told before the model is loaded.
    """
    config, labels = opened.config, opened.labels
    check_able(labels.task, "check", str(opened.run.path))
    check_examples(config, file)
    if options.shift and file is None:
        raise UserError("--shift: received without a FILE; accepted: with one, whose texts are new")
    if options.shift:
        check_examples(config, None)
    source, source_split = _source(opened, file)
    data = config.data
    check_goes_with(
        options.checks,
        labels,
        [name for name in (data.text_column, data.text_pair_column) if name is not None],
        columns_of(data, source, source_split),
        source,
    )

    trained = (load or opened.load)()
    examples = _load_examples(opened, trained, file, console)
    report = _report(opened, trained, examples, options, console)
    return Checked(report, _write(opened, examples.name, report))


def _report(
    opened: OpenedRun,
    trained: "Ensemble",
    examples: _Examples,
    options: CheckOptions,
    console: Console,
) -> CheckReport:
    labels, data, evaluation = opened.labels, opened.config.data, opened.config.evaluation
    split = examples.split.select(_chosen(len(examples.split), options))
    tolerance = labels.answer_tolerance(split.labels, options.tolerance)
    ask = _asking(trained, evaluation.batch_size)
    records = split.records(np.arange(len(split)))
    asked = Asked(records, split.labels, ask(records))
    battery = Battery(
        labels,
        ask,
        (data.text_column, data.text_pair_column),
        options.seed,
        tolerance,
        evaluation.confidence,
        evaluation.mistakes,
    )
    results, checks = [], options.checks.checks
    for number, check in enumerate(checks, start=1):
        console.print(f"{number} of {len(checks)}: {check.name}", highlight=False)
        results.append(battery.run(check, asked))
    columns: dict[str, Sequence[object]] = {LENGTH: split.lengths.tolist()}
    columns |= values_of_rows(
        data,
        examples.source,
        examples.source_split,
        options.checks.slices,
        [record.row for record in records],
    )
    return CheckReport(
        examples.shown,
        labels.task,
        len(split),
        len(examples.split),
        evaluation.confidence,
        tolerance,
        labels.headline,
        with_intervals(labels, split.labels, asked.logits, evaluation)[labels.headline],
        tuple(results),
        score_slices(labels, split.labels, asked.logits, columns, evaluation),
        options.most_flipped,
        _shift(opened, trained, split, options) if options.shift else None,
    )


def _shift(opened: OpenedRun, trained: "Ensemble", new: Split, options: CheckOptions) -> Shift:
    """How well new texts are told from as many of the run's training, by what the head gets."""
    from tf_finetune.training.split_logits import split_vectors

    config, member = opened.config, trained.members[0]
    splits, _ = load_splits(config.data, trained.tokenizer)
    known = splits.train.select(_chosen(len(splits.train), replace(options, limit=len(new))))
    few = [len(one) for one in (known, new) if len(one) < FOLDS]
    if few:
        raise UserError(f"--shift: received {few[0]} texts; accepted: at least {FOLDS}")
    states = [split_vectors(member.model, one, member.scoring_shape) for one in (known, new)]
    return shift_between(states[0], states[1], config.evaluation.confidence, options.seed)


def _source(opened: OpenedRun, file: str | None) -> tuple[str, str]:
    """Where the examples stand, and as which split of that."""
    data = opened.config.data
    if file is not None:
        return file, "test"
    split = "test" if data.test or data.test_fraction else "validation"
    own = getattr(data, split)
    return (own, split) if own else (str(data.train), "train")


def _load_examples(
    opened: OpenedRun, trained: "Ensemble", file: str | None, console: Console
) -> _Examples:
    source, source_split = _source(opened, file)
    data: DataConfig = opened.config.data
    if file is not None:
        split = load_split(data, file, trained.tokenizer, opened.labels, console=console)
        name = Path(file.split(":")[-1]).stem
        return _Examples(split, source, source_split, name, file)
    splits, _ = load_splits(data, trained.tokenizer)
    own = splits.test or splits.validation
    if own is None:
        raise UserError(f"{opened.run.path}: this run has neither test nor validation split")
    return _Examples(own, source, source_split, own.name, f"{own.name} split")


def _chosen(count: int, options: CheckOptions) -> np.ndarray:
    """Places of the texts that are checked, ascending."""
    if not options.limit or count <= options.limit:
        return np.arange(count)
    return np.flatnonzero(stable_permutation(count, options.seed) < options.limit)


def _asking(trained: "Ensemble", batch_size: int) -> Ask:
    from tf_finetune.runs.outputs import check_finite

    def ask(records: Sequence[Record]) -> np.ndarray:
        # Always traced, so that an answer depends on its text alone and not on how many there are.
        found = [
            trained.logits_of(chunk, batch_size, traced=True)
            for chunk in in_chunks(records, _CHUNK)
        ]
        logits = np.concatenate(found)
        check_finite(logits)
        return logits

    return ask


def _write(opened: OpenedRun, name: str, report: CheckReport) -> Path:
    from tf_finetune.reports.page.check_page import write_check_page

    run = opened.run
    with added_to(run.path, "checks") as folder:
        write_json(folder / f"{name}.json", report.to_dict())
        write_check_page(folder / f"{name}.html", f"Checks of {run.path.name}", report)
    return folder / name
