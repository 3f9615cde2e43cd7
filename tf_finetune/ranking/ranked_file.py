"""Texts to label as CSV or TSV, for a spreadsheet or a tool that labels."""

import csv
import io
from collections.abc import Sequence
from typing import TextIO

from tf_finetune.options.data import DataConfig
from tf_finetune.prediction.delimited import begins_formula
from tf_finetune.ranking.ranked_text import RankedText, text_columns


def write_ranked(
    file: TextIO, ranked: Sequence[RankedText], data: DataConfig, delimiter: str
) -> int:
    """Writes a row a text, under a header, so that a column of labels can be put beside it.

    Args:
        file: Where to.
        ranked: At least one.
        data: The section that the texts were read by, which names their columns.
        delimiter: Between fields; texts are quoted, numbers are not.

    Returns:
        How many rows hold what a spreadsheet would take for a formula.
    """
    columns = text_columns(data, ranked[0].record)
    rows = [one.to_row(columns) for one in ranked]
    writer = csv.DictWriter(
        file,
        list(rows[0]),
        delimiter=delimiter,
        quoting=csv.QUOTE_NONNUMERIC,
        lineterminator="\n",
    )
    writer.writeheader()
    writer.writerows(rows)
    return sum(begins_formula(row.values()) for row in rows)


def ranked_content(
    ranked: Sequence[RankedText], data: DataConfig, delimiter: str
) -> tuple[bytes, int]:
    """The content of a file, and what `write_ranked` returns.

    UTF-8 with a byte order mark, by which spreadsheets know it.
    """
    file = io.StringIO(newline="")
    formulas = write_ranked(file, ranked, data, delimiter)
    return file.getvalue().encode("utf-8-sig"), formulas
