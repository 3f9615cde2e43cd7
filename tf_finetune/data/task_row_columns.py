"""Columns of a token store whose rows a task makes itself: see `LabelEncoding.rows`."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import pyarrow as pa

from tf_finetune.sources.records import Record
from tf_finetune.tasks.task_rows import TaskRow

# From examples to rows.
MakeRows = Callable[[Sequence[Record]], Iterator[TaskRow]]

FIELDS = (
    pa.field("reads", pa.list_(pa.int32()), nullable=False),
    pa.field("spans", pa.list_(pa.int32()), nullable=False),
    pa.field("example", pa.int64(), nullable=False),
    pa.field("start", pa.int64(), nullable=False),
    pa.field("firsts", pa.list_(pa.int32()), nullable=False),
    pa.field("choices", pa.list_(pa.string()), nullable=False),
    pa.field("target", pa.list_(pa.int32()), nullable=False),
)


def rows_of_examples(
    chunks: Iterable[list[Record]], make: MakeRows
) -> Iterator[tuple[int, Record, TaskRow]]:
    """The rows of all examples: the number of the example, what the row shows of it, the row.

    Args:
        chunks: Examples, some at a time.
        make: Makes their rows.
    """
    before = 0
    for chunk in chunks:
        for row in make(chunk):
            yield before + row.example, row.shown(chunk[row.example]), row
        before += len(chunk)


def task_columns(
    rows: Sequence[tuple[int, Record, TaskRow]], *, typed: bool
) -> dict[str, list[Any]]:
    """Values of `FIELDS`.

    Args:
        rows: From `rows_of_examples`.
        typed: Whether the second text of a pair has a token type of its own.
    """
    return {
        "reads": [list(row.reads) for _, _, row in rows],
        "spans": [[edge for span in shown.spans for edge in span] for _, shown, _ in rows],
        "example": [number for number, _, _ in rows],
        "start": [row.start for _, _, row in rows],
        "firsts": [list(row.firsts) if typed else [] for _, _, row in rows],
        "choices": [list(shown.choices) for _, shown, _ in rows],
        "target": [list(row.target) for _, _, row in rows],
    }
