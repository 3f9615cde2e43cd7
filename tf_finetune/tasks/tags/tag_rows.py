"""From tagged texts to the rows that a model reads."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from tf_finetune.encoders.marked_ends import marked_ends
from tf_finetune.sources.records import Record
from tf_finetune.tasks.tags.windows import NOTHING, first_pieces, windows
from tf_finetune.tasks.task_rows import TaskRow


def tag_rows(records: Sequence[Record], backend: Any, max_length: int) -> Iterator[TaskRow]:
    """Tokenises texts whole, and cuts those that are too long into windows.

    Args:
        records: Texts whose spans are their words.
        backend: A fast tokenizer's; it neither pads nor cuts.
        max_length: Tokens of a row at most.
    """
    marks = marked_ends(backend)
    shift, room = len(marks.before), max(1, max_length - marks.count)
    texts = [record.text for record in records]
    whole = backend.encode_batch(texts, add_special_tokens=False)
    for example, (record, encoding) in enumerate(zip(records, whole, strict=True)):
        offsets = np.asarray(encoding.offsets, np.int64).reshape(-1, 2)
        pieces = first_pieces(record.spans, offsets)
        for (begin, end), (first, after) in windows(pieces, len(offsets), room):
            end = min(end, begin + room)
            own = pieces[first:after]
            inside = (own >= begin) & (own < end)
            reads = np.where(inside, own - begin + shift, NOTHING)
            start, stop = _shown(record, offsets, (begin, end), (first, after))
            ids = marks.around(encoding.ids[begin:end])
            yield TaskRow(example, ids, reads.tolist(), (first, after), start, stop, begin)


def _shown(
    record: Record, offsets: np.ndarray, tokens: tuple[int, int], words: tuple[int, int]
) -> tuple[int, int]:
    """The characters that a window shows: those of its tokens and of its own words."""
    begin, end = tokens
    if begin == 0 and end == len(offsets):
        return 0, len(record.text)
    own = record.spans[words[0] : words[1]]
    starts = [int(offsets[begin, 0]), *(start for start, _ in own[:1])]
    ends = [int(offsets[end - 1, 1]), *(stop for _, stop in own[-1:])]
    return min(starts), max(ends)
