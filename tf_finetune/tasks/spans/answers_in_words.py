"""What to say to people of the answers to their questions."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from tf_finetune.sources.records import Record
from tf_finetune.tasks.spans.best_spans import BestSpans, best_spans
from tf_finetune.tasks.spans.found_answers import scores_of_rows
from tf_finetune.tasks.spans.span_rows import MOST_TOKENS
from tf_finetune.tasks.task_rows import TaskRow

_DIGITS = 6  # of a probability
_USUAL = 3  # spans of an answer


def record_answers(
    records: Sequence[Record],
    rows: Sequence[TaskRow],
    by_read: np.ndarray,
    top_k: int | None = None,
    *,
    may_lack: bool,
    margin: float,
) -> Iterator[dict[str, Any]]:
    """The likeliest spans of each record's second text.

    Args:
        records: Questions with their contexts.
        rows: Their rows, from `span_rows`.
        by_read: Starts and ends, float [rows, r, 2].
        top_k: How many spans to give; None: three.
        may_lack: Whether a question may have no answer.
        margin: By how much no answer must beat the best span to be given.

    Yields:
        `answer` with `start`, `end` (characters of the context) and `probability`; `answers`, the
        likeliest spans; and `no_answer_probability` where there may be none.
    """
    if not records:
        return
    windows = scores_of_rows(rows, by_read, may_lack=may_lack)
    found = best_spans(windows, top_k or _USUAL, MOST_TOKENS)
    lacks = found.null_margin > margin
    at = 0
    for number, record in enumerate(records):
        offsets: dict[int, tuple[int, int]] = {}
        while at < len(rows) and rows[at].example == number:
            offsets |= dict(enumerate(rows[at].spans or (), rows[at].words[0]))
            at += 1
        spans = _spans(record.text_pair or "", offsets, found, number)
        none = float(found.null_probability[number])
        best = {"start": None, "end": None, "text": None, "probability": round(none, _DIGITS)}
        if not lacks[number]:
            best = spans[0]
        answer = {"answer": best["text"], **best, "answers": spans}
        del answer["text"]
        if may_lack:
            answer["no_answer_probability"] = round(none, _DIGITS)
        yield answer


def _spans(
    context: str, offsets: dict[int, tuple[int, int]], found: BestSpans, number: int
) -> list[dict[str, Any]]:
    """The spans of one record, likeliest first, without the spaces around them."""
    spans = []
    columns = (found.start[number], found.end[number], found.probability[number])
    for first, after, chance in zip(*(column.tolist() for column in columns), strict=True):
        if first < 0:
            break
        start, end = offsets[first][0], offsets[after - 1][1]
        said = context[start:end]
        start, end = end - len(said.lstrip()), start + len(said.rstrip())
        end = max(start, end)
        text, probability = context[start:end], round(chance, _DIGITS)
        spans.append({"start": start, "end": end, "text": text, "probability": probability})
    return spans
