"""Infers which columns hold text and label, from their names or else from their values.

A column whose name is well known (`text`, `sentence`, ...; `label`, `class`, ...) is taken,
whatever the case of its letters. `text` and `label` win over the others; of several others
none is guessed.

Without a known name, the text is the column of strings that are clearly the longest: on
average at least twice as long as those of any other column with mostly distinct strings.
The label is then the one column left with few distinct values (at most half as many as rows)
or with numbers; whole numbers that never repeat are taken for row numbers. Several
candidates, or none, are an error that names the columns.
"""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tf_finetune.sources.numbers import as_flag, decimal_mark_of, is_missing
from tf_finetune.sources.problems import Problems, show, show_names
from tf_finetune.storage.yaml_document import yaml_value

_SECOND_TEXT = "data.text_pair_column takes a second text"
TEXT_NAMES = (
    "text",
    "sentence",
    "review",
    "content",
    "title",
    "question",
    "document",
    "body",
    "comment",
    "tweet",
    "utterance",
    "query",
    "message",
    "headline",
    "description",
)
LABEL_NAMES = (
    "label",
    "labels",
    "class",
    "category",
    "target",
    "sentiment",
    "intent",
    "score",
    "rating",
    "stars",
    "topic",
    "emotion",
    "tag",
    "tags",
)

_CLEARLY_LONGER = 2.0


@dataclass(frozen=True)
class Sample:
    """The first rows of a table.

    Attributes:
        name: The source, for messages.
        columns: Names of the columns that may be inferred.
        rows: Values of the first rows by column.
        named_by_file: Whether the names stand in the first row of the file, where data may
            have been taken for names.
    """

    name: str
    columns: tuple[str, ...]
    rows: Sequence[Mapping[str, object]]
    named_by_file: bool

    def values(self, column: str) -> list[object]:
        """What the column holds, without nulls and empty fields."""
        found = (row.get(column) for row in self.rows)
        return [value for value in found if value is not None and value != ""]


def infer_text_column(sample: Sample, taken: set[str], problems: Problems) -> str | None:
    """Infers `data.text_column`.

    Args:
        sample: The first rows.
        taken: Columns that are already something else.
        problems: Told why if no column can be chosen.
    """
    columns = [name for name in sample.columns if name not in taken]
    named = _named(columns, TEXT_NAMES)
    if len(named) == 1:
        return named[0]
    if named:
        reason = f"{show_names(named)} could all be it ({_SECOND_TEXT})"
        problems.add(_undecided(sample, "text_column", reason))
        return None
    lengths = {name: _mean_length(sample.values(name)) for name in columns}
    lengths = {name: length for name, length in lengths.items() if length}
    if not lengths:
        problems.add(_undecided(sample, "text_column", "no column holds text"))
        return None
    longest = max(lengths, key=lengths.__getitem__)
    rivals = [
        name
        for name, length in lengths.items()
        if name != longest
        and lengths[longest] < _CLEARLY_LONGER * length
        and not _few_distinct(sample, name)
    ]
    if rivals:
        texts = show_names([longest, *rivals])
        reason = f"{texts} hold texts of similar length ({_SECOND_TEXT})"
        problems.add(_undecided(sample, "text_column", reason))
        return None
    return longest


def infer_label_column(sample: Sample, taken: set[str], problems: Problems) -> str | None:
    """Infers `data.label_column`; the arguments are those of `infer_text_column`."""
    columns = [name for name in sample.columns if name not in taken]
    named = _named(columns, LABEL_NAMES)
    if len(named) == 1:
        return named[0]
    candidates = named or [name for name in columns if _may_be_label(sample, name)]
    if len(candidates) != 1:
        reason = "no other column has few distinct values or numbers"
        if candidates:
            reason = f"{show_names(candidates)} could all be it"
        problems.add(
            _undecided(sample, "label_column", reason) + _columns_advice(sample, candidates)
        )
        return None
    label = candidates[0]
    if sample.named_by_file and (_is_number(label) or label in sample.values(label)):
        problems.add(
            f"{sample.name}, row 1: {show(label)} looks like a label, not like the name of a "
            "column; accepted: data.header: false if the file does not name its columns, "
            "else data.label_column"
        )
        return None
    return label


def _named(columns: Sequence[str], names: tuple[str, ...]) -> list[str]:
    """Columns with a known name; only the first of the names if it is there."""
    best = [column for column in columns if column.lower() == names[0]]
    return best or [column for column in columns if column.lower() in names]


def _undecided(sample: Sample, option: str, reason: str) -> str:
    # Names that are numbers are those of one-hot columns, or the first example of all.
    unnamed = sample.named_by_file and any(decimal_mark_of([name]) for name in sample.columns)
    header = ", or data.header=false if row 1 is an example and names no columns"
    return (
        f"{sample.name}: data.{option} cannot be inferred: {reason}; accepted: one of the "
        f"columns {show_names(sample.columns)}{header * unnamed}"
    )


def _columns_advice(sample: Sample, candidates: Sequence[str]) -> str:
    """The option that takes a column for each label, if the candidates look like that."""
    flags = [name for name in candidates if _are_flags(sample.values(name))]
    if len(flags) < 2:
        return ""
    option = shlex.quote(f"data.label_columns={yaml_value(flags)}")
    return f"; where each label has its column of 0 and 1: {option}"


def _are_flags(values: list[object]) -> bool:
    return bool(values) and all(
        as_flag(value) is not None if isinstance(value, str) else value in (0, 1)
        for value in values
    )


def _mean_length(values: list[object]) -> float:
    """Mean number of characters of a column of text, 0 for any other."""
    texts = [value for value in values if isinstance(value, str)]
    if len(texts) < len(values) or all(_is_number(text) for text in texts):
        return 0.0
    return sum(len(text) for text in texts) / len(texts)


def _few_distinct(sample: Sample, column: str) -> bool:
    values = sample.values(column)
    if not values or any(isinstance(value, dict) for value in values):
        return False
    return len({str(value) for value in values}) <= max(2, len(sample.rows) // 2)


def _may_be_label(sample: Sample, column: str) -> bool:
    """Whether a column has few distinct values or numbers, but not whole ones all distinct."""
    if _few_distinct(sample, column):
        return True
    values = sample.values(column)
    counters = len({str(value) for value in values}) == len(values) and all(
        str(value).isdigit() for value in values
    )
    return bool(values) and not counters and all(_is_number(value) for value in values)


def _is_number(value: object) -> bool:
    if isinstance(value, str):
        return is_missing(value) or decimal_mark_of([value]) is not None
    return isinstance(value, (int, float))
