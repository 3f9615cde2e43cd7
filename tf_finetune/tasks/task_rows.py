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
        start: First character of the example's text that the row shows, or of the second text
            where that is what is cut into rows.
        end: The one after the last.
        first_token: Which of the tokens of the whole text its first one is, marks aside.
        types: Token types of the ids; () where all are of the first type.
        spans: Characters that the answers of the row may be made of, in that whole text; None:
            those of the example's own spans that are among `words`.
        target: What is right, in numbers that the task reads again; () where labels tell it.
        cut: Tokens of the example that no row holds.
        firsts: Where the row holds several texts, each of them a pair, tokens of each before those
            of its second text; `reads` are then where the texts begin.
    """

    example: int
    ids: Sequence[int]
    reads: Sequence[int]
    words: tuple[int, int]
    start: int
    end: int
    first_token: int = 0
    types: Sequence[int] = ()
    spans: Sequence[tuple[int, int]] | None = None
    target: Sequence[int] = ()
    cut: int = 0
    firsts: Sequence[int] = ()

    def shown(self, record: Record) -> Record:
        """The part of its example that it is about, as an example by itself."""
        first, after = self.words
        own = record.spans[first:after] if self.spans is None else self.spans
        spans = tuple((s - self.start, e - self.start) for s, e in own)
        label = record.label
        if record.choices:
            return record
        if record.text_pair is not None:
            part = record.text_pair[self.start : self.end]
            return Record(record.row, record.text, part, label, spans)
        if isinstance(label, tuple):
            label = label[first:after]
        return Record(record.row, record.text[self.start : self.end], None, label, spans)
