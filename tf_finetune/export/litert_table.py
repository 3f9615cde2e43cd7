"""What each LiteRT file loses, weighs and takes, measured where it is made."""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

import numpy as np
from rich.console import Console

from tf_finetune.console_tables import print_table
from tf_finetune.data.splits import Split
from tf_finetune.errors import UserError
from tf_finetune.export.litert import LiteRtModel, file_name
from tf_finetune.export.litert_inputs import Tokens, split_tokens
from tf_finetune.export.loss_table import add_model, loss_table
from tf_finetune.export.quality_loss import QualityLoss, quality_loss
from tf_finetune.options.evaluation import EvaluationConfig
from tf_finetune.tasks.labels import LabelSpace
from tf_finetune.tasks.metrics import METRICS

_CALLS = 20
_ROUNDING = 1e-12


@dataclass(frozen=True)
class FileRow:
    """One file.

    Attributes:
        file: Its name.
        precision: One of `formats.PRECISIONS`.
        bytes: Its size.
        loss: What it loses on the split.
        milliseconds: Median time of one text of median length on one thread.
    """

    file: str
    precision: str
    bytes: int
    loss: QualityLoss
    milliseconds: float


@dataclass(frozen=True)
class FileTable:
    """All files of an export beside the model they were made from.

    Attributes:
        split: Name of the split they were measured on.
        examples: Its size.
        confidence: Coverage of the intervals.
        tokens: Length of the text that was timed.
        rows: One a file.
    """

    split: str
    examples: int
    confidence: float
    tokens: int
    rows: tuple[FileRow, ...]

    def to_dict(self) -> dict[str, Any]:
        """The table as plain dictionaries, for JSON."""
        return asdict(self)

    def check(self, max_loss: float) -> None:
        """Refuses files that lose too much.

        Raises:
            UserError: With every file whose loss is over `max_loss`.
        """
        problems = [
            f"--max-loss: {row.file} loses {row.loss.loss:.4f} {METRICS[row.loss.metric].title} "
            f"({row.loss.low:.4f} to {row.loss.high:.4f}) on the {self.split} split; accepted: at "
            f"most {max_loss:g}"
            for row in self.rows
            if row.loss.loss > max_loss + _ROUNDING
        ]
        if problems:
            raise UserError(
                problems,
                hint="Nothing was written. Leave such a precision out with --precisions, or allow "
                "more.",
            )


def measure_files(
    contents: dict[str, bytes],
    split: Split,
    logits: np.ndarray,
    labels: LabelSpace,
    evaluation: EvaluationConfig,
    console: Console,
) -> FileTable:
    """Runs every file on every example of a split, in LiteRT's own interpreter.

    Args:
        contents: The files.
        split: Labelled examples.
        logits: The original's, float32 [n, labels].
        labels: What the labels are.
        evaluation: Resamples and coverage of the intervals.
        console: Where progress is shown.

    Raises:
        UserError: A file's outputs are not all finite.
    """
    at = int(np.argsort(split.lengths, kind="stable")[len(split) // 2])
    rows = []
    for precision, content in contents.items():
        with console.status(f"measuring {file_name(precision)} on {split.num_examples:,} examples"):
            model = LiteRtModel(content)
            found = model.split_logits(split)
            if not np.isfinite(found).all():
                raise UserError(f"{file_name(precision)}: its outputs are NaN or infinite")
            loss = quality_loss(labels, split.labels, logits, found, evaluation)
            milliseconds = _median_milliseconds(model, split_tokens(split, np.array([at])))
        rows.append(FileRow(file_name(precision), precision, len(content), loss, milliseconds))
    return FileTable(
        split=split.name,
        examples=split.num_examples,
        confidence=evaluation.confidence,
        tokens=int(split.lengths[at]),
        rows=tuple(rows),
    )


def render_files(console: Console, table: FileTable) -> None:
    """Prints the table, narrow enough for 80 columns."""
    first = table.rows[0].loss
    title = METRICS[first.metric].title
    shown = loss_table(
        f"LiteRT on the {table.split} split ({table.examples:,} examples): the original's "
        f"{title} is {first.original:.4f},\ntimes are of a text of {table.tokens} tokens",
        "precision",
        first.metric,
        table.confidence,
    )
    for row in table.rows:
        add_model(shown, row.precision, row.bytes, row.loss, row.milliseconds)
    print_table(console, shown)


def _median_milliseconds(model: Callable[[Tokens], np.ndarray], tokens: Tokens) -> float:
    model(tokens)  # allocates for this length
    seconds = []
    for _ in range(_CALLS):
        started = time.perf_counter()
        model(tokens)
        seconds.append(time.perf_counter() - started)
    return 1000 * median(seconds)
