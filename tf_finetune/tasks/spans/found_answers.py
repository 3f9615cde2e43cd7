"""The answers that outputs of rows give to their questions."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tf_finetune.tasks.spans.best_spans import BestSpans, WindowScores, best_spans
from tf_finetune.tasks.spans.span_layout import SpanTargets
from tf_finetune.tasks.spans.span_rows import MOST_TOKENS, NOWHERE
from tf_finetune.tasks.task_rows import TaskRow


class FoundAnswers(NamedTuple):
    """The likeliest answers to n questions.

    Attributes:
        spans: The likeliest spans of each, one or more.
        rows: The first row that shows the likeliest span, int64 [n].
        texts: What that span says.
    """

    spans: BestSpans
    rows: np.ndarray
    texts: list[str]


def window_scores(
    by_read: np.ndarray,
    reads: np.ndarray,
    examples: np.ndarray,
    first: np.ndarray,
    *,
    may_lack: bool,
) -> WindowScores:
    """What outputs of rows say of the tokens of their contexts.

    Args:
        by_read: Starts and ends, float [n, r, 2].
        reads: How many reads each row has, int [n].
        examples: Which example each is of, int [n].
        first: First token of each in the whole context, int [n].
        may_lack: Whether a question may have no answer.
    """
    places = np.arange(by_read.shape[1])
    tokens = by_read[(places > NOWHERE) & (places < np.asarray(reads)[:, None])]
    offsets = np.append(0, np.cumsum(np.asarray(reads, np.int64) - 1))
    null = by_read[:, NOWHERE].astype(np.float64).sum(axis=1) if may_lack else None
    return WindowScores(examples, first, offsets, tokens[:, 0], tokens[:, 1], null)


def scores_of_rows(rows: Sequence[TaskRow], by_read: np.ndarray, *, may_lack: bool) -> WindowScores:
    """As `window_scores`, of rows as the task makes them."""
    return window_scores(
        by_read,
        np.array([len(row.reads) for row in rows]),
        np.array([row.example for row in rows]),
        np.array([row.words[0] for row in rows]),
        may_lack=may_lack,
    )


def find_answers(targets: SpanTargets, by_read: np.ndarray, *, may_lack: bool) -> FoundAnswers:
    """The likeliest answer to each question.

    Args:
        targets: What is known of the rows.
        by_read: Starts and ends, float [n, r, 2].
        may_lack: Whether a question may have no answer.
    """
    windows = window_scores(
        by_read, targets.reads, targets.examples, targets.first, may_lack=may_lack
    )
    found = best_spans(windows, 1, MOST_TOKENS)
    start, end = found.start[:, 0][targets.examples], found.end[:, 0][targets.examples]
    first = targets.first.astype(np.int64)
    # Windows begin one after the other: the first that reaches its end shows its start too.
    shows = end < first + targets.reads
    rows = _first_shown(shows, targets.examples)
    texts = [
        targets.said(row, start[row] - first[row], end[row] - first[row]) for row in rows.tolist()
    ]
    return FoundAnswers(found, rows, texts)


def _first_shown(shows: np.ndarray, examples: np.ndarray) -> np.ndarray:
    """The first row of each example that shows its span."""
    rows = np.flatnonzero(shows)
    return rows[np.unique(examples[rows], return_index=True)[1]]
