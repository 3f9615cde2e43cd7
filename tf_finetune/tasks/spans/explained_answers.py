"""Which answer to a question is explained, and by which outputs of which window."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tf_finetune.errors import UserError
from tf_finetune.sources.problems import show
from tf_finetune.sources.records import Record
from tf_finetune.tasks.questions import ChosenPart, Question, RowLogits
from tf_finetune.tasks.spans.best_spans import span_log_probabilities
from tf_finetune.tasks.spans.found_answers import scores_of_rows
from tf_finetune.tasks.spans.span_rows import MOST_TOKENS, NOWHERE, tokens_of
from tf_finetune.tasks.task_rows import TaskRow
from tf_finetune.tasks.wrong_answers import Part

_ANSWER = "answer"
_DIGITS = 6  # of a probability
# What is asked about where there is no answer.
_NONE = Part(0, 0, "no answer", "")
_STARTS_AND_ENDS = 0, 1  # the outputs that make a span


def given_answer(answer: Mapping[str, Any]) -> ChosenPart:
    """The part of the context that a model answers with.

    Args:
        answer: As `record_answers` gives it.
    """
    if answer["answer"] is None:
        return ChosenPart(_NONE, answer["probability"])
    part = Part(answer["start"], answer["end"], _ANSWER, answer["answer"])
    return ChosenPart(part, answer["probability"])


def asked_answer(
    record: Record, rows: Sequence[TaskRow], by_read: np.ndarray, text: str, *, may_lack: bool
) -> ChosenPart:
    """A text of the context, where it is the likeliest answer, if it stands there several times.

    Args:
        record: The question with its context.
        rows: Its rows.
        by_read: What a model says of them: starts and ends, float [rows, r, 2].
        text: The text; "" asks why there is no answer.
        may_lack: Whether a question may have none.

    Raises:
        UserError: The context does not hold it, or it is no answer that the model could give.
    """
    windows = scores_of_rows(rows, by_read, may_lack=may_lack)
    logarithms = span_log_probabilities(windows, 0, MOST_TOKENS)
    if not text:
        if not may_lack:
            raise UserError(
                "--answer: received '', but of this model every question has an answer; accepted: "
                "a text of the context"
            )
        return ChosenPart(_NONE, round(1.0 - float(np.exp(logarithms).sum()), _DIGITS))
    context = record.text_pair or ""
    offsets = _offsets(rows)
    found: list[tuple[float, Part]] = []
    for start in _places(text, context):
        tokens = tokens_of((start, start + len(text)), offsets)
        further = -1 if tokens is None else tokens[1] - tokens[0]
        if tokens is None or further >= logarithms.shape[1]:
            continue
        logarithm = float(logarithms[tokens[0], further])
        if np.isfinite(logarithm):
            found.append((logarithm, Part(start, start + len(text), _ANSWER, text)))
    if not found:
        holds = text in context
        why = f"is not one of up to {MOST_TOKENS} tokens that it reads" if holds else "is not there"
        raise UserError(
            f"--answer: received {show(text)}, which in the context of row {record.row}, "
            f"{show(context)}, {why}; accepted: a text of the context"
        )
    logarithm, part = max(found, key=lambda one: one[0])
    return ChosenPart(part, round(float(np.exp(logarithm)), _DIGITS))


def answer_question(part: Part, rows: Sequence[TaskRow], logits_of: RowLogits) -> Question | None:
    """The start and the end of an answer, or of none: both at the first token of a window.

    Of several windows that show an answer it is the one in which that is likeliest; of none, the
    one where it is least likely, which is the one that decides.

    Args:
        part: The answer.
        rows: Of the example.
        logits_of: What the model says of a row.
    """
    asked = [(row, reads) for row in rows if (reads := _reads_of(part, row)) is not None]
    if not asked:
        return None
    if len(asked) > 1:
        sign = -1.0 if part == _NONE else 1.0

        def likelihood(one: tuple[TaskRow, tuple[int, int]]) -> float:
            row, reads = one
            return sign * float(logits_of(row)[reads, _STARTS_AND_ENDS].sum())

        asked = [max(asked, key=likelihood)]
    ((row, reads),) = asked
    label = part.label if part == _NONE else part.words
    return Question(row, tuple(row.reads[read] for read in reads), _STARTS_AND_ENDS, label)


def _reads_of(part: Part, row: TaskRow) -> tuple[int, int] | None:
    """Which of a row's reads begins an answer and which ends it; None where it is not whole."""
    if part == _NONE:
        return NOWHERE, NOWHERE
    offsets = _offsets([row])
    tokens = tokens_of((part.start, part.end), offsets)
    if tokens is None:
        return None
    first, last = tokens
    if offsets[first, 0] > part.start or offsets[last, 1] < part.end:
        return None
    return NOWHERE + 1 + first, NOWHERE + 1 + last


def _offsets(rows: Sequence[TaskRow]) -> np.ndarray:
    """Characters of the tokens of rows that follow each other, int64 [tokens, 2]."""
    places: dict[int, tuple[int, int]] = {}
    for row in rows:
        places |= dict(enumerate(row.spans or (), row.words[0]))
    return np.array([places[token] for token in sorted(places)], np.int64).reshape(-1, 2)


def _places(text: str, context: str) -> list[int]:
    found, at = [], context.find(text)
    while at >= 0:
        found.append(at)
        at = context.find(text, at + 1)
    return found
