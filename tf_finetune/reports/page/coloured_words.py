"""A text cut into words and what lies between them, as a page colours them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tf_finetune.evaluation.attributions import Explanation, Word
from tf_finetune.reports.console import SURROGATE, UNPRINTABLE
from tf_finetune.reports.page import numbers

_NUMBERED_STRENGTH = 0.25  # words at least this strong show their number


@dataclass(frozen=True)
class Stretch:
    """A part of a text.

    Attributes:
        text: What to show.
        kind: "for", "against" or "none" of a word; "unread" of characters that are in no word;
            "space" between words.
        number: The word's attribution with its sign; "" where there is none.
        strength: Its magnitude as a share of the largest in the explanation, 0 to 1.
        asked: Whether it belongs to the part of the text that is explained.
    """

    text: str
    kind: str
    number: str = ""
    strength: float = 0.0
    asked: bool = False

    @property
    def numbered(self) -> bool:
        """Whether the number is shown beside the word."""
        return self.strength >= _NUMBERED_STRENGTH


def coloured_texts(
    explanation: Explanation, texts: Sequence[str], limit: int | None = None
) -> list[list[Stretch]]:
    """Each text as stretches.

    Args:
        explanation: Of these texts.
        texts: The text, the second text if there is one, and what is chosen from.
        limit: The most characters of each to show; None shows all.
    """
    largest = max((abs(word.attribution) for word in explanation.all_words()), default=0.0)
    before = len(texts) - len(explanation.choice_words)
    of_each = (*(explanation.words, explanation.pair_words)[:before], *explanation.choice_words)
    asked = [(0, 0)] * len(texts)
    asked[int(explanation.asked_of_pair)] = explanation.asked or (0, 0)
    return [
        list(_stretches(text, words, largest, len(text) if limit is None else limit, part))
        for text, words, part in zip(texts, of_each, asked, strict=True)
    ]


def around(explanation: Explanation, text: str, place: int, limit: int) -> tuple[Explanation, str]:
    """The part of a text around a place, and what its words contributed.

    Args:
        explanation: Of the text.
        text: The text, or the second one, where the explanation is of a part of that.
        place: A character of it.
        limit: The most characters; a text that has no more is given as it is.
    """
    if len(text) <= limit:
        return explanation, text
    first = max(0, min(place - limit // 2, len(text) - limit))
    first = text.rfind(" ", 0, first) + 1
    after = first + limit
    words = tuple(
        replace(word, start=word.start - first, end=word.end - first)
        for word in (explanation.pair_words if explanation.asked_of_pair else explanation.words)
        if first <= word.start and word.end <= after
    )
    asked = explanation.asked and (explanation.asked[0] - first, explanation.asked[1] - first)
    part = text[first:after]
    if explanation.asked_of_pair:
        return replace(explanation, pair_words=words, asked=asked), part
    return replace(explanation, words=words, asked=asked), part


def word_rows(explanation: Explanation) -> list[dict[str, Any]]:
    """Rows of a table: each word, its attribution, and its pieces where it has several."""
    return [
        {
            "word": shown(word.text),
            "attribution": numbers.signed(word.attribution),
            "pieces": [
                f"{shown(piece.token)} {numbers.signed(piece.attribution)}" for piece in word.pieces
            ]
            if len(word.pieces) > 1
            else [],
        }
        for word in explanation.all_words()
    ]


def shown(text: str) -> str:
    """A text for a page: white space as single spaces, escapes for what could not be seen."""
    text = UNPRINTABLE.sub(lambda found: found[0].encode("unicode_escape").decode(), text)
    collapsed = " ".join(SURROGATE.sub("\ufffd", text).split())
    before = " " if text[:1].isspace() else ""
    after = " " if collapsed and text[-1:].isspace() else ""
    return f"{before}{collapsed}{after}"


def _stretches(
    text: str, words: Sequence[Word], largest: float, limit: int, asked: tuple[int, int]
) -> Iterator[Stretch]:
    def is_asked(start: int, end: int) -> bool:
        return asked[0] <= start and end <= asked[1]

    end = 0
    for word in words:
        if word.end > limit:
            yield Stretch(" …", "space")
            return
        if word.start > end:
            yield _between(text[end : word.start], asked=is_asked(end, word.start))
        sign = (word.attribution > 0) - (word.attribution < 0)
        yield Stretch(
            shown(word.text),
            ("none", "for", "against")[sign],
            numbers.signed(word.attribution),
            abs(word.attribution) / largest if largest else 0.0,
            is_asked(word.start, word.end),
        )
        end = word.end
    if end < limit and text[end:]:
        yield _between(text[end:limit])
    if len(text) > limit:
        yield Stretch(" …", "space")


def _between(text: str, *, asked: bool = False) -> Stretch:
    return Stretch(shown(text), "space" if text.isspace() else "unread", asked=asked)
