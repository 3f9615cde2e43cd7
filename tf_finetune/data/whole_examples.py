"""Long texts, put together again of the rows that they were cut into."""

import numpy as np

from tf_finetune.data.token_store import TokenStore
from tf_finetune.sources.records import Record


def put_together(store: TokenStore, rows: np.ndarray, number: int) -> Record:
    """The text of which some rows show parts, with its words or what its answers are made of.

    Of a pair it is the second text that was cut. The parts overlap; spans that several show stand
    once. Characters that none of them shows, as the rest of a word that is longer than a row, are
    spaces, so that every place is that in the source.

    Args:
        store: Where the rows stand.
        rows: The rows of one example, ascending.
        number: Its row in the source.
    """
    ((first, second),), (choices,) = store.texts(rows[:1]), store.choices(rows[:1])
    if choices:
        return Record(number, first, second, None, choices=choices)
    starts = store.starts[rows] - store.starts[rows[0]]
    text, spans, first_text = "", [], None
    for start, (one, other), own in zip(starts, store.texts(rows), store.spans(rows), strict=True):
        part = one
        if other is not None:
            first_text, part = one, other
        text = text.ljust(start)
        text += part[len(text) - start :]
        spans += [(first, end) for first, end in (own + start).tolist()]
    once = tuple(dict.fromkeys(spans))
    if first_text is None:
        return Record(number, text, None, None, once)
    return Record(number, first_text, text, None, once)
