"""Reads the words of a text and their tags from the values of a row."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from tf_finetune.options.data import DataConfig
from tf_finetune.sources.fields import MISSING, add_fault, read_text, text_fault
from tf_finetune.sources.list_literals import parse_list
from tf_finetune.sources.marked_spans import as_marks, tagged_words
from tf_finetune.sources.places import INCLUSIVE, EndEvidence
from tf_finetune.sources.problems import Problems, show
from tf_finetune.sources.records import Record
from tf_finetune.sources.table import Row, Table
from tf_finetune.sources.tag_schemes import Scheme, SchemeEvidence, to_iob2
from tf_finetune.sources.words import Spans, join_words, words_of

TRIMMED = "texts with spans that have white space at their borders, which was left out"
_BETWEEN_SPACES = re.compile(r"\S+")
# ['a', 'b'] is surely a list; [1] may be what somebody wrote.
_QUOTED_LIST = re.compile(r"""\s*\[\s*['"].*['"]\s*\]\s*""", re.DOTALL)


class _Words(NamedTuple):
    text: str
    spans: Spans
    words: Sequence[str]


def as_tokens(value: object) -> list[object] | None:
    """The tokens of a list, also of one that is written out; None of another value."""
    if isinstance(value, list):
        return None if any(isinstance(item, (list, dict)) for item in value) else value
    if isinstance(value, str) and _QUOTED_LIST.fullmatch(value):
        written = parse_list(value)
        return None if written is None else list(written)
    return None


def as_tags(value: object, names: Sequence[str] | None) -> list[object] | None:
    """The tags of a list, written out or with spaces between them; None of another value.

    Args:
        value: What the column of the tags holds.
        names: Tags in the order of the numbers that may stand for them.
    """
    if isinstance(value, str):
        written = parse_list(value)
        value = value.split() if written is None else list(written)
    if not isinstance(value, list) or any(isinstance(item, (list, dict)) for item in value):
        return None
    return [_tag_of(item, names) for item in value] if names else value


class TagReading(NamedTuple):
    """How the tags of a source are written, which all of it tells.

    Attributes:
        scheme: What the tags of words mean.
        spans: Whether there are marked spans of characters, and no tags of words.
        inclusive: Whether the end of a span is the offset of its last character.
    """

    scheme: Scheme
    spans: bool
    inclusive: bool


def tag_reading(table: Table, config: DataConfig) -> TagReading:
    """How the tags of a source are written; all of it is read."""
    schemes, ends = SchemeEvidence(), EndEvidence()
    spans = 0
    for row in table.rows(Problems()):
        value = row.values.get(config.label_column or "")
        text = row.values.get(config.text_column or "")
        marks = as_marks(value)
        tags = None if marks else as_tags(value, config.label_names)
        if tags:
            schemes.add(tags)
            spans -= 1
        elif marks and isinstance(text, str):
            ends.add(text, [mark.place for mark in marks])
            spans += 1
    return TagReading(schemes.scheme(), spans > 0, ends.inclusive)


class TaggedRows:
    """Reads the rows of one source.

    Args:
        config: Options of the data section, columns resolved.
        problems: Gets what is wrong with a row.
        reading: How the tags are written; None to read words alone.
    """

    def __init__(self, config: DataConfig, problems: Problems, reading: TagReading | None):
        self._problems, self._reading, self._names = problems, reading, config.label_names
        self._column, self._label = config.text_column or "", config.label_column or ""

    def __call__(self, row: Row) -> Record | None:
        """The record of a row, or None and a problem."""
        if self._reading is not None and self._reading.spans:
            return self._marked(row, inclusive=self._reading.inclusive)
        before = self._problems.count
        found = self._words(row)
        tags = None
        if found is not None and self._reading is not None:
            tags = self._tags(row, found, self._reading.scheme)
        if found is None or self._problems.count > before:
            return None
        return Record(row.number, found.text, None, tags, found.spans)

    def _words(self, row: Row) -> _Words | None:
        """The words of a row: its tokens, or those of its text."""
        value = row.values.get(self._column, MISSING)
        tokens = as_tokens(value)
        if tokens is not None:
            return self._joined(row, tokens)
        text = read_text(row, self._column, self._problems)
        if not text:
            return None
        if self._reading is None:
            spans = words_of(text)
        else:  # whoever wrote a tag a word told the words apart by spaces
            spans = tuple(match.span() for match in _BETWEEN_SPACES.finditer(text))
        return _Words(text, spans, [text[start:end] for start, end in spans])

    def _marked(self, row: Row, *, inclusive: bool) -> Record | None:
        """The record of a text with marked spans, or None and a problem."""
        text = read_text(row, self._column, self._problems)
        value = row.values.get(self._label, MISSING)
        marks = as_marks(value)
        if marks is None:
            missing = "the spans are missing; " * (value is MISSING or value is None)
            fault = f"{missing}accepted: a list of [start, end, kind], [] for none"
            add_fault(row, self._label, value, fault, self._problems)
        if not text or marks is None:
            return None
        found = tagged_words(text, marks, inclusive=inclusive)
        if isinstance(found, list):
            for fault in found:
                self._problems.add(f"{row.place}, column {self._label!r}: {fault}")
            return None
        if found.trimmed:
            self._problems.note(TRIMMED, f"row {row.number}")
        if inclusive and marks:
            self._problems.note(INCLUSIVE, f"row {row.number}")
        return Record(row.number, text, None, found.tags, found.spans)

    def _joined(self, row: Row, tokens: Sequence[object]) -> _Words | None:
        if not tokens:
            add_fault(row, self._column, tokens, "accepted: at least one word", self._problems)
            return None
        words = []
        for index, token in enumerate(tokens):
            fault = text_fault(token) if isinstance(token, str) else "accepted: a word"
            if fault:
                self._add(row, index, self._column, f"received {show(token)}; {fault}")
            elif isinstance(token, str):
                words.append(token)
        if len(words) < len(tokens):
            return None
        text, spans = join_words(words)
        return _Words(text, spans, words)

    def _tags(self, row: Row, found: _Words, scheme: Scheme) -> tuple[str, ...]:
        """The IOB2 tags of a row's words; () with a problem."""
        value = row.values.get(self._label, MISSING)
        tags = as_tags(value, self._names)
        if tags is None:
            fault = f"{'the tags are missing; ' * (value is MISSING)}accepted: a list of tags"
            add_fault(row, self._label, value, fault, self._problems)
            return ()
        if len(tags) != len(found.words):
            self._problems.add(
                f"{row.place}, column {self._label!r}: received {len(tags):,} tags for "
                f"{len(found.words):,} words; accepted: a tag for each word"
            )
            return ()
        converted = to_iob2(tags, scheme)
        for index, fault in converted.faults:
            number = isinstance(tags[index], int)
            advice = "; of numbers, data.label_names gives the tags in their order" * number
            of = f" of {show(found.words[index])}"
            received = f"received {show(tags[index])}{of}, which {fault}{advice}"
            self._add(row, index, self._label, received)
        if converted.unended:
            self._problems.note(
                f"texts with an entity without the last tag of {scheme.name}, taken to end there",
                f"row {row.number}",
            )
        return converted.tags

    def _add(self, row: Row, index: int, column: str, message: str) -> None:
        """Notes what is wrong with an item of a list."""
        place = f"{row.place}, word {index + 1}" if row.places is None else row.places(index)
        self._problems.add(f"{place}, column {column!r}: {message}")


def _tag_of(item: object, names: Sequence[str]) -> object:
    """The tag that a number stands for; anything else, and a number without a tag, stays."""
    if isinstance(item, str) and item.isdecimal() and item not in names:
        item = int(item)
    if isinstance(item, int) and not isinstance(item, bool) and 0 <= item < len(names):
        return names[item]
    return item
