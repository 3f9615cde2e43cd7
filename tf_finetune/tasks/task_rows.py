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
    """

    example: int
    ids: Sequence[int]
    reads: Sequence[int]
    words: tuple[int, int]
    start: int
    end: int
    first_token: int = 0

    def shown(self, record: Record) -> Record:
        """The part of its example that it is about, as an example by itself."""
        first, after = self.words
        spans = tuple((s - self.start, e - self.start) for s, e in record.spans[first:after])
        label = record.label
        if isinstance(label, tuple):
            label = label[first:after]
        return Record(record.row, record.text[self.start : self.end], None, label, spans)
