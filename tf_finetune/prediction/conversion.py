"""From JSON lines, which can be gone on with, to the format that a file's ending names."""

from collections.abc import Callable
from pathlib import Path

from tf_finetune.prediction.delimited import DELIMITERS, label_separator, write_delimited
from tf_finetune.prediction.parquet import write_parquet
from tf_finetune.prediction.resumable import PARQUET
from tf_finetune.tasks.labels import LabelSpace

# Writes the lines of the first file to the second, and gives what is to be said about it.
Conversion = Callable[[Path, Path], list[str]]


def conversion(
    path: Path,
    labels: LabelSpace,
    *,
    pairs: bool,
    listed: bool,
    separator: str | None,
    marked: bool = False,
) -> Conversion | None:
    """Finds out how the lines become the file; nothing is written yet.

    Args:
        path: The file, whose ending says the format.
        labels: What the answers mean.
        pairs: Whether texts come in pairs.
        listed: Whether the answers have the likeliest labels alone, as --top-k asks.
        separator: `data.label_separator`.
        marked: Whether answers say if they are sure, as --at-least asks.

    Returns:
        The conversion; None if the lines are the file.

    Raises:
        UserError: The format cannot hold these labels.
    """
    ending = path.suffix.lower()
    if ending in PARQUET:

        def to_parquet(lines: Path, target: Path) -> list[str]:
            write_parquet(lines, target, labels, pairs=pairs, marked=marked)
            return []

        return to_parquet
    if ending not in DELIMITERS:
        return None
    joined_by = label_separator(labels, separator)

    def to_delimited(lines: Path, target: Path) -> list[str]:
        formulas = write_delimited(
            lines,
            target,
            labels,
            delimiter=DELIMITERS[ending],
            listed=listed,
            separator=joined_by,
            marked=marked,
        )
        notes = []
        if labels.holds_several:
            notes.append(
                f"several labels are joined; data.label_separator={joined_by!r} reads them back"
            )
        if formulas:
            notes.append(
                f"! texts or labels that begin with = + - or @: {formulas:,} rows; a spreadsheet "
                "may run them as formulas, so import these columns as text"
            )
        return notes

    return to_delimited
