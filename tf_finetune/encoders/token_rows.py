"""Texts as the rows of numbers that a model reads."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast


class TokenRows(NamedTuple):
    """Tokenised texts.

    Attributes:
        ids: Token ids of each text.
        types: 1 for tokens of the second text of a pair, else 0.
        fill: The id that stands for padding.
        reads: Positions of each text that the head reads, where these are several.
    """

    ids: Sequence[Sequence[int]]
    types: Sequence[Sequence[int]]
    fill: int
    reads: Sequence[Sequence[int]] | None = None

    @property
    def lengths(self) -> np.ndarray:
        """Tokens of each text, int32 [n]."""
        return np.array([len(ids) for ids in self.ids], np.int32)

    def padded(
        self, rows: Iterable[int], length: int | None = None
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Some of the texts, filled up behind them.

        Args:
            rows: Which of them.
            length: To which length; None: that of the longest of them.

        Returns:
            Token ids, token types, and 1 for tokens and 0 for padding, all int32 [b, t].
        """
        ids = [self.ids[row] for row in rows]
        types = [self.types[row] for row in rows]
        length = max(map(len, ids), default=0) if length is None else length
        ones = [[1] * len(one) for one in ids]
        return _filled(ids, length, self.fill), _filled(types, length, 0), _filled(ones, length, 0)

    def is_read(self) -> np.ndarray:
        """Which of its reads each text has, bool [n, r]; one each where none are named."""
        if self.reads is None:
            return np.ones((len(self.ids), 1), bool)
        most = max(1, *map(len, self.reads)) if len(self.reads) else 1
        return _filled(self.reads, most, -1) >= 0

    def padded_reads(self, rows: Sequence[int]) -> np.ndarray:
        """Positions that the head reads of some of the texts, int32 [b, r].

        The first token in place of those that there are not.
        """
        if self.reads is None:
            return np.zeros((len(rows), 1), np.int32)
        reads = [self.reads[row] for row in rows]
        most = max(1, *map(len, reads))
        return np.maximum(_filled(reads, most, 0), 0)


def token_rows(
    tokenizer: "PreTrainedTokenizerFast",
    texts: Sequence[str],
    pairs: Sequence[str] | None,
    max_length: int,
) -> TokenRows:
    """Tokenises texts, or pairs of texts.

    Args:
        tokenizer: Of the encoder.
        texts: The texts.
        pairs: The second text of each; None: they are single.
        max_length: Tokens after which a text, or the longer text of a pair, is cut.
    """
    if not texts:  # of which the tokenizer gives nothing at all
        return TokenRows([], [], tokenizer.pad_token_id)
    found = tokenizer(list(texts), pairs, truncation=True, max_length=max_length)
    ids = found["input_ids"]
    types = found.get("token_type_ids") or [[0] * len(one) for one in ids]
    return TokenRows(ids, types, tokenizer.pad_token_id)


def _filled(rows: Sequence[Sequence[int]], length: int, fill: int) -> np.ndarray:
    filled = np.full((len(rows), length), fill, np.int32)
    for to, values in zip(filled, rows, strict=True):
        to[: len(values)] = values
    return filled
