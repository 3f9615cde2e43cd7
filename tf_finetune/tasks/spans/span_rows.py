"""From questions and their contexts to the rows that a model reads.

A row is a question and as much of its context as fits. A longer context is read in windows that
overlap by a quarter of them, and by an answer at least: every answer that a model can give lies
whole in one of them, where a window has room for two.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from tf_finetune.encoders.marked_ends import MarkedPair, marked_pair
from tf_finetune.sources.records import Record
from tf_finetune.tasks.task_rows import TaskRow

# The most tokens of an answer, as is usual for SQuAD.
MOST_TOKENS = 30
_OVERLAP = 0.25  # of a window
# The read of a window that holds no answer: the row's first token.
NOWHERE = 0


class _Context(NamedTuple):
    """The tokens of a context: their ids, and the characters that each stands for, [tokens, 2]."""

    ids: list[int]
    offsets: np.ndarray


def span_rows(records: Sequence[Record], backend: Any, max_length: int) -> Iterator[TaskRow]:
    """Tokenises questions and contexts, and cuts contexts that are too long into windows.

    What is read of a row is its first token, and every token of its part of the context. The
    row's `words` are these tokens, counted in the whole context, its `spans` their characters,
    and its `target` the reads where the first of the answers begins and ends that lies whole in
    the row, and the first of the tokens.

    Args:
        records: Questions, their contexts as second texts, and the answers' characters in these.
        backend: A fast tokenizer's; it neither pads nor cuts.
        max_length: Tokens of a row at most; a question has half of them at most.
    """
    pair = marked_pair(backend)
    questions = backend.encode_batch([record.text for record in records], add_special_tokens=False)
    contexts = _contexts(records, backend)
    most = max(1, (max_length - pair.count) // 2)
    for example, (record, encoding) in enumerate(zip(records, questions, strict=True)):
        question, context = encoding.ids[:most], contexts[record.text_pair or ""]
        room = max(1, max_length - pair.count - len(question))
        answers = [tokens_of(answer, context.offsets) for answer in record.spans]
        for window in windows(len(context.ids), room):
            row = _row(record, question, context, window, answers, pair)
            yield row._replace(example=example, cut=len(encoding.ids) - len(question))


def windows(tokens: int, room: int) -> list[tuple[int, int]]:
    """The first token of each window and the one after its last, in the order of the text.

    Args:
        tokens: Of the text.
        room: Tokens of a window at most, at least 1.
    """
    overlap = min(room // 2, max(int(room * _OVERLAP), MOST_TOKENS))
    begins = [0]
    while begins[-1] + room < tokens:
        begins.append(begins[-1] + room - overlap)
    return [(begin, min(begin + room, tokens)) for begin in begins]


def _contexts(records: Sequence[Record], backend: Any) -> dict[str, _Context]:
    """The tokens of each context; several questions share one."""
    texts = list(dict.fromkeys(record.text_pair or "" for record in records))
    encodings = backend.encode_batch(texts, add_special_tokens=False)
    return {
        text: _Context(encoding.ids, np.asarray(encoding.offsets, np.int64).reshape(-1, 2))
        for text, encoding in zip(texts, encodings, strict=True)
    }


def tokens_of(answer: tuple[int, int], offsets: np.ndarray) -> tuple[int, int] | None:
    """The first and the last token of an answer's characters; None where these have no token.

    Args:
        answer: Its first character, and the one after its last.
        offsets: Characters of each token, int [tokens, 2].
    """
    start, end = answer
    inside = np.flatnonzero((offsets[:, 1] > start) & (offsets[:, 0] < end))
    return (int(inside[0]), int(inside[-1])) if len(inside) else None


def _row(
    record: Record,
    question: list[int],
    context: _Context,
    window: tuple[int, int],
    answers: list[tuple[int, int] | None],
    pair: MarkedPair,
) -> TaskRow:
    begin, end = window
    ids, types = pair.around(question, context.ids[begin:end])
    text, offsets = record.text_pair or "", context.offsets[begin:end]
    whole = begin == 0 and end == len(context.ids)
    shown = (0, len(text)) if whole else (int(offsets[0, 0]), int(offsets[-1, 1]))
    first = pair.second_begins(len(question))
    reads = [0, *range(first, first + end - begin)]
    if begin == end:  # a context of which the tokenizer makes nothing
        reads, offsets = [0, 0], np.zeros((1, 2), np.int64)
    inside = (one for one in answers if one is not None and begin <= one[0] and one[1] < end)
    start, stop = next(((s - begin + 1, e - begin + 1) for s, e in inside), (NOWHERE, NOWHERE))
    spans = [(s, e) for s, e in offsets.tolist()]
    words = (begin, begin + len(spans))
    return TaskRow(
        example=0,
        ids=ids,
        reads=reads,
        words=words,
        start=shown[0],
        end=shown[1],
        first_token=begin,
        types=types,
        spans=spans,
        target=(start, stop, begin),
    )
