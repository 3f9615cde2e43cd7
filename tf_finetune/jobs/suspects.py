"""Lists examples whose label is probably wrong, by heads that have not seen them."""

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.console import Console

from tf_finetune.data.loading import load_split, load_splits
from tf_finetune.data.splits import Split
from tf_finetune.errors import UserError
from tf_finetune.evaluation.label_errors import find_label_errors
from tf_finetune.evaluation.suspects import Suspect, Suspects
from tf_finetune.jobs.examples import check_examples
from tf_finetune.runs.added_files import added_to
from tf_finetune.runs.opening import OpenedRun
from tf_finetune.storage.files import write_atomically
from tf_finetune.tasks.table import check_able

if TYPE_CHECKING:
    from tf_finetune.runs.ensemble import Ensemble

_COLUMNS = ("file", "row", "label", "suggested", "probability_of_label", "probability_of_suggested")


def find_suspects(
    opened: OpenedRun,
    file: str | None,
    count: int,
    console: Console,
    *,
    load: Callable[[], "Ensemble"] | None = None,
) -> Suspects:
    """Lists the examples whose labels are likeliest wrong, and writes the list into the run.

    The run's own encoder gives the states of all examples once; on them a head is solved for each
    fold, and answers the examples that it was not solved on.

    Args:
        opened: The run.
        file: Labelled examples, written as `data.test`; None: the run's own training split.
        count: How many to list at most.
        console: Where reading a file is told.
        load: Gives the model, for a caller who has it; None: it is loaded.

    Raises:
        UserError: The task has not one class a text, or the examples are not there or not as they
            should be.
    """
    check_able(opened.labels.task, "suspects", str(opened.run.path))
    check_examples(opened.config, file)

    from tf_finetune.training.out_of_fold_heads import out_of_fold_logits

    config, labels = opened.config, opened.labels
    member = (load or opened.load)().members[0]
    split, source = _examples(opened, member.tokenizer, file, console)
    logits = out_of_fold_logits(member.model, split, labels, config.training, member.scoring_shape)
    chances = labels.probabilities(logits)
    errors = find_label_errors(split.labels, chances)
    places = errors.places[:count]
    suspects = tuple(
        Suspect(
            source,
            record.row,
            record.text,
            record.text_pair,
            str(labels.words(split.labels[place])),
            str(labels.words(suggested)),
            float(chances[place, split.labels[place]]),
            float(chances[place, suggested]),
        )
        for place, suggested, record in zip(
            places.tolist(), errors.suggested.tolist(), split.records(places), strict=False
        )
    )
    written = _write(opened, split.name if file is None else Path(file).stem, suspects)
    return Suspects(suspects, len(errors.places), errors.estimated, len(split), source, written)


def _examples(
    opened: OpenedRun, tokenizer: Any, file: str | None, console: Console
) -> tuple[Split, str]:
    data, labels = opened.config.data, opened.labels
    if file is None:
        splits, _ = load_splits(data, tokenizer)
        split, source = splits.train, str(data.train)
    else:
        split, source = load_split(data, file, tokenizer, labels, console=console), file
    _check_folds(split, source)
    return split, source


def _check_folds(split: Split, source: str) -> None:
    """Refuses examples of which no head can be solved without some of them."""
    present = np.unique(split.labels)
    if len(present) < 2 or len(split) < 2 * len(present):
        raise UserError(
            f"{source}: received {len(split):,} examples of {len(present)} classes; accepted: "
            "with --suspects, at least two classes and twice as many examples, because each "
            "answer comes from a head that was solved on the others"
        )


def _write(opened: OpenedRun, name: str, suspects: tuple[Suspect, ...]) -> Path:
    pairs = any(one.text_pair is not None for one in suspects)
    table = io.StringIO()
    # As `predict` writes its answers: texts quoted, and a mark by which spreadsheets know UTF-8.
    writer = csv.writer(table, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
    writer.writerow((*_COLUMNS, "text", *(("text_pair",) if pairs else ())))
    for one in suspects:
        chances = (round(one.probability, 6), round(one.probability_suggested, 6))
        second = (one.text_pair,) if pairs else ()
        writer.writerow((one.file, one.row, one.label, one.suggested, *chances, one.text, *second))
    with added_to(opened.run.path, "evaluations") as folder:
        path = folder / f"{name}.suspects.csv"
        write_atomically(path, table.getvalue().encode("utf-8-sig", errors="replace"))
    return path
