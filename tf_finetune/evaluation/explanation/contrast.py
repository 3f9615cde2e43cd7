"""Why one of several texts was chosen: what sets its output apart from those of the others.

What is explained is the output of a text less the mean output of the others. It is a sum of
outputs, and so what a word contributed to it is the sum of what it contributed to each: words of
a text's own speak for it or for another one, and words that all texts share as much as they speak
for this text more than for the others.
"""

from collections.abc import Iterable, Sequence
from itertools import chain, zip_longest
from typing import NamedTuple

import numpy as np

from tf_finetune.evaluation.attributions import Piece, Word
from tf_finetune.evaluation.explanation.gradients import Contributions
from tf_finetune.evaluation.explanation.tokens import PlacedTokens, merge_words
from tf_finetune.tasks.questions import ReadText


def contrast_weights(chosen: int, count: int) -> np.ndarray:
    """What each of several outputs counts: the chosen 1, the others -1 together, float64 [count].

    Raises:
        ValueError: There is no other.
    """
    if count < 2:
        raise ValueError(f"{count} texts; one of two or more is chosen")
    return np.where(np.arange(count) == chosen, 1.0, -1.0 / (count - 1))


def contrasted(found: Sequence[Contributions], weights: np.ndarray) -> Contributions:
    """What tokens contributed to a weighted sum of outputs; those of one text behind the other's.

    Args:
        found: Of each text.
        weights: Of its output, float64 [texts].
    """

    def total(values: Iterable[float], factors: np.ndarray) -> float:
        return float(factors @ np.array([*values]))

    return Contributions(
        np.concatenate([w * one.by_token for w, one in zip(weights, found, strict=True)]),
        total((one.output for one in found), weights),
        total((one.baseline for one in found), weights),
        max(one.steps for one in found),
        total((one.rounding for one in found), np.abs(weights)),
    )


class ContrastedWords(NamedTuple):
    """The words of an example's texts.

    Attributes:
        shared: Of the text that all have in common.
        shared_pair: Of what the second texts have in common.
        own: Of each text's own.
    """

    shared: tuple[Word, ...]
    shared_pair: tuple[Word, ...]
    own: tuple[tuple[Word, ...], ...]


def contrasted_words(
    texts: Sequence[ReadText], tokens: Sequence[PlacedTokens], by_token: np.ndarray
) -> ContrastedWords:
    """Puts tokens' contributions together to words, each where the user wrote it.

    Args:
        texts: The texts.
        tokens: Their tokens.
        by_token: Contributions of these, text after text, as `contrasted` gives them.
    """
    borders = np.cumsum([len(one.token_ids) for one in tokens])[:-1]
    firsts, pairs, own = [], [], []
    for text, placed, values in zip(texts, tokens, np.split(by_token, borders), strict=True):
        firsts.append(merge_words(placed, values.tolist(), 0, text.text))
        seconds = merge_words(placed, values.tolist(), 1, text.text_pair)
        pairs.append([word for word in seconds if word.start < text.own_start])
        own.append(tuple(_moved(w, -text.own_start) for w in seconds if w.start >= text.own_start))
    return ContrastedWords(_added(firsts), _added(pairs), tuple(own))


def _moved(word: Word, by: int) -> Word:
    return Word(word.text, word.start + by, word.end + by, word.attribution, word.pieces)


def _added(of_each: Sequence[Sequence[Word]]) -> tuple[Word, ...]:
    """Words at the same place as one; where a text was cut, it lacks the last of them."""
    at: dict[int, Word] = {}
    for word in chain.from_iterable(of_each):
        at[word.start] = _sum(at[word.start], word) if word.start in at else word
    return tuple(at[start] for start in sorted(at))


def _sum(one: Word, other: Word) -> Word:
    longer = one if one.end >= other.end else other
    none = Piece("", 0.0)
    pieces = tuple(
        Piece(a.token or b.token, a.attribution + b.attribution)
        for a, b in zip_longest(one.pieces, other.pieces, fillvalue=none)
    )
    total = one.attribution + other.attribution
    return Word(longer.text, longer.start, longer.end, total, pieces)
