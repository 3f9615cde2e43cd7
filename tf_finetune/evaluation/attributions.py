"""What the words of a text contributed to an output of a model: plain data, however found."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import chain
from typing import Any


@dataclass(frozen=True)
class Piece:
    """A token of the tokenizer, such as `##able`, and what it contributed."""

    token: str
    attribution: float


@dataclass(frozen=True)
class Word:
    """A word as the text has it, merged from its pieces.

    Attributes:
        text: Its characters.
        start: The first of them in the text, counted from 0.
        end: Behind the last.
        attribution: Sum of its pieces': above 0 for the explained output, below 0 against it.
        pieces: Its tokens in order.
    """

    text: str
    start: int
    end: int
    attribution: float
    pieces: tuple[Piece, ...]


@dataclass(frozen=True)
class Explanation:
    """How an output of a text differs from that of a text without words, word by word.

    Attributions add up to `output - baseline`, but for `gap`.

    Attributes:
        label: The class that the output stands for; None in a regression.
        output: The logit of the class, or the predicted number.
        baseline: The same of the baseline, as many padding tokens.
        gap: |sum of attributions - (output - baseline)|.
        steps: Intervals that the path between the two was cut into.
        converged: Whether the gap is within the tolerance.
        words: Of the text, in its order.
        pair_words: Of the second text; empty without one.
        choice_words: Of each text that is chosen from; empty where none is.
        asked: First character of the part of the text that it is about, and the one after the
            last; None: the whole text.
        asked_of_pair: Whether that is a part of the second text.
    """

    label: str | None
    output: float
    baseline: float
    gap: float
    steps: int
    converged: bool
    words: tuple[Word, ...]
    pair_words: tuple[Word, ...] = ()
    asked: tuple[int, int] | None = None
    choice_words: tuple[tuple[Word, ...], ...] = ()
    asked_of_pair: bool = False

    def all_words(self) -> Iterator[Word]:
        """The words of all texts."""
        yield from self.words
        yield from self.pair_words
        yield from chain.from_iterable(self.choice_words)

    @property
    def total(self) -> float:
        """Sum of all attributions."""
        return sum(word.attribution for word in self.all_words())

    def to_dict(self) -> dict[str, Any]:
        """The explanation as plain dictionaries, tuples and numbers."""
        return asdict(self)
