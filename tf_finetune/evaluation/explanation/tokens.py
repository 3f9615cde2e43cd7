"""The tokens of one text with their places in it, and words merged from them."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np

from tf_finetune.encoders.marked_ends import marked_ends, marked_pair
from tf_finetune.encoders.tokenizers import gives_types
from tf_finetune.evaluation.attributions import Piece, Word
from tf_finetune.evaluation.explanation.word_borders import is_border
from tf_finetune.sources.records import Record
from tf_finetune.tasks.task_rows import TaskRow

# Of tokens that stand side by side: sequence, word and span of each, as in `PlacedTokens`.
_Part = tuple[Sequence[int | None], Sequence[int | None], Sequence[tuple[int, int]]]


@dataclass(frozen=True)
class PlacedTokens:
    """The t tokens of a text or a pair.

    Attributes:
        token_ids: int32 [t].
        token_type_ids: int32 [t].
        baseline_ids: The same with every token of the texts replaced by padding, int32 [t];
            what the tokenizer adds, [CLS] and [SEP], stays.
        tokens: As the vocabulary writes them.
        sequences: 0 for the first text, 1 for the second, None for what the tokenizer adds.
        words: Number of the token's word in its text, or None likewise.
        spans: First character in its text, and the one behind the last.
    """

    token_ids: np.ndarray
    token_type_ids: np.ndarray
    baseline_ids: np.ndarray
    tokens: list[str]
    sequences: list[int | None]
    words: list[int | None]
    spans: list[tuple[int, int]]


def place_tokens(tokenizer: Any, text: str, text_pair: str | None, max_length: int) -> PlacedTokens:
    """Tokenises a text as for training.

    Args:
        tokenizer: A fast tokenizer of transformers.
        text: The text.
        text_pair: The second text of a pair.
        max_length: Longest text in tokens; what is longer is cut.
    """
    encoded = tokenizer(text, text_pair, truncation=True, max_length=max_length)
    encoding = encoded.encodings[0]
    token_ids = np.array(encoding.ids, np.int32)
    added = np.array([sequence is None for sequence in encoding.sequence_ids])
    return PlacedTokens(
        token_ids,
        np.array(encoded.get("token_type_ids", 0 * token_ids), np.int32),
        np.where(added, token_ids, tokenizer.pad_token_id).astype(np.int32),
        encoding.tokens,
        encoding.sequence_ids,
        encoding.word_ids,
        encoding.offsets,
    )


def place_row(tokenizer: Any, backend: Any, record: Record, row: TaskRow) -> PlacedTokens:
    """The tokens of a row that a task made of a text, with their places in the whole of it.

    Args:
        tokenizer: A fast tokenizer of transformers.
        backend: Its backend, which neither pads nor cuts.
        record: The text, or two of which the second is the one that is cut into rows.
        row: Of the text.
    """
    parts: list[_Part] = []
    if record.text_pair is None:
        marks = marked_ends(backend)
        encoding = backend.encode(record.text, add_special_tokens=False)
        count = len(row.ids) - marks.count
        own = slice(row.first_token, row.first_token + count)
        parts = [_marks(marks.before), _part(encoding, own, 0), _marks(marks.behind)]
    else:
        before, between, behind = marked_pair(backend).marks
        first, second = (
            backend.encode(text, add_special_tokens=False)
            for text in (record.text, record.text_pair)
        )
        after = min(row.words[1], len(second.ids))
        count = len(row.ids) - len((*before, *between, *behind)) - (after - row.words[0])
        parts = [
            *(_marks(before), _part(first, slice(count), 0), _marks(between)),
            *(_part(second, slice(row.words[0], after), 1), _marks(behind)),
        ]
    sequences, words, spans = (list(chain.from_iterable(one)) for one in zip(*parts, strict=True))
    token_ids = np.array(row.ids, np.int32)
    is_mark = np.array([sequence is None for sequence in sequences])
    return PlacedTokens(
        token_ids,
        np.array(types_of(tokenizer, row), np.int32),
        np.where(is_mark, token_ids, tokenizer.pad_token_id).astype(np.int32),
        [backend.id_to_token(token) for token in row.ids],
        sequences,
        words,
        spans,
    )


def types_of(tokenizer: Any, row: TaskRow) -> Sequence[int]:
    """The token types of a row, as the model was trained with them."""
    return row.types if row.types and gives_types(tokenizer) else [0] * len(row.ids)


def _marks(ids: Sequence[int]) -> _Part:
    return [None] * len(ids), [None] * len(ids), [(0, 0)] * len(ids)


def _part(encoding: Any, own: slice, sequence: int) -> _Part:
    words, spans = encoding.word_ids[own], encoding.offsets[own]
    return [sequence] * len(spans), words, spans


def merge_words(
    tokens: PlacedTokens, attributions: Sequence[float], sequence: int, text: str
) -> tuple[Word, ...]:
    """The words of one text, in its order; no two of them share a character.

    They are those that the tokenizer cuts a text into before it spells them, and, where it cuts at
    spaces alone, parts of these that a reader sees as words.

    Args:
        tokens: The tokens.
        attributions: One a token.
        sequence: 0 for the first text, 1 for the second.
        text: That text.
    """
    groups: list[list[int]] = []
    last_word: int | None = None
    end = 0
    for index, of in enumerate(tokens.sequences):
        if of != sequence:
            continue
        start = tokens.spans[index][0]
        goes_on = tokens.words[index] == last_word and not is_border(text, start)
        # One character may become several words: they have its place in common.
        if groups and (goes_on or start < end):
            groups[-1].append(index)
        else:
            groups.append([index])
        last_word, end = tokens.words[index], max(end, tokens.spans[index][1])
    return tuple(_word(tokens, attributions, group, text) for group in groups)


def _word(tokens: PlacedTokens, attributions: Sequence[float], group: list[int], text: str) -> Word:
    start = min(tokens.spans[index][0] for index in group)
    end = max(tokens.spans[index][1] for index in group)
    seen = text[start:end].lstrip()  # a piece may begin with a space, or be one
    start = end - len(seen) if seen else start
    pieces = tuple(Piece(tokens.tokens[index], float(attributions[index])) for index in group)
    return Word(text[start:end], start, end, sum(piece.attribution for piece in pieces), pieces)
