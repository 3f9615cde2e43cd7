"""A task's own way from an example to the rows that a model reads."""

from collections.abc import Sequence
from typing import NamedTuple

from tf_finetune.sources.records import Record


class TaskRow(NamedTuple):
    """A row of a model's input, made of a whole example or of a part of it.

    Attributes:
        example: Which of the given examples it is of.
        ids: Token ids with those that mark a text's ends.
        reads: Position of each token whose final state the head reads; -1 where there is none.
        words: First of the example's spans that the row answers, and the one after the last.
        start: First character of the example's text that the row shows.
        end: The one after the last.
        first_token: Which of the tokens of the whole text its first one is, marks aside.
        firsts: Where the row holds several texts, each of them a pair, tokens of each before those
            of its second text; `reads` are then where the texts begin.
        whole_length: Tokens that the row would have if nothing were cut; 0: nothing is.
    """

    example: int
    ids: Sequence[int]
    reads: Sequence[int]
    words: tuple[int, int]
    start: int
    end: int
    first_token: int = 0
    firsts: Sequence[int] = ()
    whole_length: int = 0

    @property
    def types(self) -> list[int]:
        """Of each token whether it is of the second text of a pair."""
        types = [0] * len(self.ids)
        ends = (*self.reads[1:], len(self.ids))
        for start, first, end in zip(self.reads, self.firsts, ends, strict=False):
            types[start + first : end] = [1] * (end - start - first)
        return types

    def shown(self, record: Record) -> Record:
        """The part of its example that it is about, as an example by itself."""
        first, after = self.words
        spans = tuple((s - self.start, e - self.start) for s, e in record.spans[first:after])
        label = record.label
        if isinstance(label, tuple):
            label = label[first:after]
        text = record.text[self.start : self.end]
        return Record(record.row, text, record.text_pair, label, spans, record.choices)
