"""Multiple choice: a context, its choices, and which of them is right."""

import re
from collections.abc import Sequence

from tf_finetune.options.data import DataConfig
from tf_finetune.sources.choice_labels import Choices, LabelReading, reading_of
from tf_finetune.sources.fields import MISSING, add_fault, read_text, text_fault
from tf_finetune.sources.inference import TEXT_NAMES, Sample
from tf_finetune.sources.list_literals import parse_list
from tf_finetune.sources.problems import Problems, show
from tf_finetune.sources.record_form import ReadRow, RecordForm, first_named, undecided
from tf_finetune.sources.records import Record
from tf_finetune.sources.table import Row, Table

_NUMBERED = re.compile(r"(choice|ending|option)[ _-]?(\d+|[a-j])", re.IGNORECASE)
_LISTS = ("choices", "endings", "options")
_CONTEXTS = (
    "sent1",
    "context",
    "ctx",
    "premise",
    "passage",
    "article",
    "question",
    "stem",
    "startphrase",
    *TEXT_NAMES,
)
# The second text that goes with a first.
_SECONDS = {
    "sent1": ("sent2",),
    **dict.fromkeys(("context", "passage", "article", "premise"), ("question",)),
}
_LABELS = (
    "label",
    "answer",
    "answerkey",
    "answer_key",
    "correct",
    "correct_answer",
    "gold",
    "target",
)


class MultipleChoice(RecordForm):
    """Records of `multiple_choice`: a context with choices."""

    task = "multiple_choice"
    needs = (
        "a context, choices in columns choice0, choice1 … (or ending0 …) or a column of lists, and "
        "a label"
    )
    options = frozenset({"text_column", "text_pair_column", "label_column", "choice_columns"})

    def recognised(self, table: Table, sample: Sample, config: DataConfig) -> dict[str, object]:
        """Columns of choices, by their names."""
        if config.choice_columns is None and _choice_columns(sample) is None:
            return {}
        problems = Problems()
        found = self.columns(table, sample, config, problems, labelled=True)
        return {} if problems.count else found

    def columns(
        self,
        table: Table,
        sample: Sample,
        config: DataConfig,
        problems: Problems,
        *,
        labelled: bool,
    ) -> dict[str, object]:
        """The columns with well-known names."""
        choices = config.choice_columns or _choice_columns(sample)
        if choices is None:
            reason = "no columns are called choice0, choice1 … or choices"
            problems.add(undecided(self, sample, "choice_columns", reason))
        taken = {config.label_column, config.text_pair_column, *(choices or ())}
        left = [name for name in sample.columns if name not in taken]
        text, pair = config.text_column, config.text_pair_column
        if text is None:
            text = first_named(left, _CONTEXTS)
            if text is not None and pair is None:
                pair = first_named(left, _SECONDS.get(text.lower(), ()))
        if text is None:
            problems.add(undecided(self, sample, "text_column", "no column has a known name"))
        label = config.label_column
        if labelled and label is None:
            label = first_named([name for name in left if name not in (text, pair)], _LABELS)
            if label is None:
                reason = "no column has a known name"
                problems.add(undecided(self, sample, "label_column", reason))
        return {
            "text_column": text,
            "text_pair_column": pair,
            "label_column": label,
            "choice_columns": choices,
        }

    def reader(
        self, table: Table | None, config: DataConfig, problems: Problems, *, labelled: bool
    ) -> ReadRow:
        """What reads examples; how labels name a choice, the whole source tells."""
        reading = None
        if labelled and table is not None:
            rows = table.rows(Problems())
            column = config.label_column or ""
            pairs = ((row.values.get(column), _choices(row, config, Problems())) for row in rows)
            reading = reading_of((label, choices) for label, choices in pairs if choices)
        return _Reader(config, problems, reading)


class _Reader:
    """Reads the rows of one source, which all have as many choices as the first."""

    def __init__(self, config: DataConfig, problems: Problems, reading: LabelReading | None):
        self._config, self._problems, self._reading = config, problems, reading
        self._first: tuple[int, int] | None = None

    def __call__(self, row: Row) -> Record | None:
        config, problems = self._config, self._problems
        before = problems.count
        text = read_text(row, config.text_column or "", problems)
        pair = None
        if config.text_pair_column is not None:
            pair = read_text(row, config.text_pair_column, problems)
        choices = _choices(row, config, problems)
        if choices is None:
            return None
        self._check_count(row, len(choices.texts))
        label = None
        if self._reading is not None:
            value = row.values.get(config.label_column or "", MISSING)
            label = self._reading.read(value, choices)
            if label is None:
                fault = f"names none of the {len(choices.texts)} choices; accepted: "
                fault += self._reading.accepted(choices)
                add_fault(row, config.label_column or "", value, fault, problems)
            elif self._reading.noted:
                problems.note(self._reading.noted, f"row {row.number}")
        if problems.count > before:
            return None
        number = None if label is None else str(label)
        return Record(row.number, text, pair, number, choices=choices.texts)

    def _check_count(self, row: Row, count: int) -> None:
        if self._first is None:
            self._first = row.number, count
        number, first = self._first
        if count != first:
            self._problems.add(
                f"{row.place}: has {count} choices; accepted: {first}, as in row {number}"
            )


def _choices(row: Row, config: DataConfig, problems: Problems) -> Choices | None:
    """The choices of a row, or None and a problem."""
    columns = config.choice_columns or ()
    if len(columns) == 1:
        return _listed(row, columns[0], problems)
    before = problems.count
    texts = tuple(read_text(row, column, problems) for column in columns)
    return None if problems.count > before else Choices(texts)


def _listed(row: Row, column: str, problems: Problems) -> Choices | None:
    value = row.values.get(column, MISSING)
    names: Sequence[object] = ()
    listed = value
    if isinstance(value, dict):
        listed, names = value.get("text"), value.get("label") or ()
    elif isinstance(value, str):
        listed = list(parse_list(value) or ())
    elif isinstance(value, list) and value and all(isinstance(one, dict) for one in value):
        listed, names = [one.get("text") for one in value], [one.get("label") for one in value]
    if not isinstance(listed, list) or len(listed) < 2:
        count = f"has {len(listed)} of them; " if isinstance(listed, list) else ""
        add_fault(row, column, value, f"{count}accepted: a list of two choices or more", problems)
        return None
    faults = [text_fault(text) if isinstance(text, str) else "accepted: a text" for text in listed]
    for number, (text, fault) in enumerate(zip(listed, faults, strict=True), 1):
        if fault:
            problems.add(
                f"{row.place}, column {column!r}, choice {number}: received {show(text)}; {fault}"
            )
    if any(faults):
        return None
    labels = tuple(map(str, names)) if len(names) == len(listed) and None not in names else ()
    return Choices(tuple(listed), labels)


def _choice_columns(sample: Sample) -> tuple[str, ...] | None:
    """Columns that are numbered choices, from 0, 1 or A; or the one that holds lists of them."""
    found: dict[str, dict[int, str]] = {}
    for name in sample.columns:
        match = _NUMBERED.fullmatch(name)
        if match:
            number = int(match[2]) if match[2].isdecimal() else ord(match[2].lower()) - ord("a")
            found.setdefault(match[1].lower(), {})[number] = name
    for columns in found.values():
        numbers = sorted(columns)
        if len(numbers) > 1 and numbers[0] in (0, 1) and numbers[-1] - numbers[0] < len(numbers):
            return tuple(columns[number] for number in numbers)
    lists = [name for name in sample.columns if _are_lists(sample.values(name))]
    named = first_named(lists, _LISTS)
    return None if named is None else (named,)


def _are_lists(values: list[object]) -> bool:
    return bool(values) and all(
        isinstance(value, (list, dict))
        or (isinstance(value, str) and len(parse_list(value) or ()) > 1)
        for value in values
    )
