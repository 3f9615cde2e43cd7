"""Settles which column holds text and label before anything is read in full."""

import difflib
import itertools
import re
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import replace

from tf_finetune.errors import UserError
from tf_finetune.options.data import DataConfig
from tf_finetune.sources.arrow_values import USABLE
from tf_finetune.sources.column_options import check_options, of_other_task, used_columns
from tf_finetune.sources.fields import name_fault
from tf_finetune.sources.inference import (
    LABEL_NAMES,
    TEXT_NAMES,
    Sample,
    infer_label_column,
    infer_text_column,
)
from tf_finetune.sources.list_literals import parse_list
from tf_finetune.sources.numbers import is_missing
from tf_finetune.sources.opening import open_tables
from tf_finetune.sources.problems import Problems, show, show_names
from tf_finetune.sources.record_forms import (
    FORMS,
    KINDS,
    OPTIONS,
    recognised_columns,
)
from tf_finetune.sources.table import Row, Table

SAMPLE_ROWS = 1000
SAMPLE_CHARACTERS = 64 * 2**20  # that many end the sample before it has all its rows
_ITEM_CHARACTERS = 64  # of an item of a list, such as a word
_DELIMITED = ("csv", "tsv", "text")
# Columns without a name, and what pandas calls its index: written, and read as a column.
_ROW_NUMBERS = re.compile(r"(?:Unnamed: \d+(?:\.\d+)*|__index_level_\d+__)?")


def resolve_columns(config: DataConfig) -> DataConfig:
    """Fills in the columns that are not set, and checks all sources against them.

    The first 1,000 rows of the training examples decide (the rule stands in `inference`); the
    other sources must have the same columns. Where labels are separated, lists (also written
    out in text) or columns of their own, `data.task: auto` becomes `multi_label`. Where the
    schema of the deciding source names the classes, and the options do not, `data.label_names`
    becomes these. `data.format: auto` stays: every file's own ending names its format.

    Args:
        config: Options of the data section. Without training examples the validation
            examples decide, and without these the test examples.

    Raises:
        UserError: A source cannot be opened, a column is missing or cannot be inferred;
            everything of that kind in all sources at once.
    """
    problems = Problems()
    check_options(config, problems)
    tables = open_tables(config, problems)
    if not tables and not problems.count:
        problems.add(
            "data.train: received nothing; accepted: a file, a folder, tfds:NAME or "
            "builtin:docstrings"
        )
    problems.check()
    config = infer_columns(tables[0], config, problems, labelled=True)
    for table in tables:
        check_columns(table, config, problems, labelled=True)
    problems.check()
    return config


def infer_columns(
    table: Table, config: DataConfig, problems: Problems, *, labelled: bool
) -> DataConfig:
    """Fills in what a table's first rows tell and the options do not.

    Args:
        table: The source that decides.
        config: Options of the data section.
        problems: Gets each column that cannot be inferred.
        labelled: Whether a label column is needed.
    """
    if len(table.columns) == 1 and table.advice:
        problems.add(f"{table.name}: {table.advice}")
        return config
    rows = _first_rows(table)
    sample = Sample(
        name=table.name,
        columns=tuple(name for name in table.columns if not _ROW_NUMBERS.fullmatch(name)),
        rows=[row.values for row in rows],
        named_by_file=table.kind in _DELIMITED and config.header,
    )
    form = FORMS.get(config.task)
    if form is not None and table.kind in KINDS - frozenset(form.kinds):
        problems.add(of_other_task(table, config))
        return config
    if form is not None:
        return config.model_copy(
            update=form.columns(table, sample, config, problems, labelled=labelled)
        )
    if config.task == "auto" and (labelled or table.kind in KINDS):
        recognised = recognised_columns(table, sample, config)
        if recognised:
            return config.model_copy(update=recognised)
    if table.kind in KINDS or any(getattr(config, option) is not None for option in OPTIONS):
        problems.add(of_other_task(table, config))
        return config
    sample = replace(sample, rows=_without_structures(table, sample.rows))
    text, pair, label = config.text_column, config.text_pair_column, config.label_column
    marked = config.label_columns or ()
    if text is None:
        text = infer_text_column(
            sample, {name for name in (pair, label, *marked) if name}, problems
        )
    if labelled and label is None and not marked:
        label = infer_label_column(sample, {name for name in (pair, text) if name}, problems)
    found: dict[str, object] = {"text_column": text, "label_column": label}
    if labelled and label and label in table.label_names and config.label_names is None:
        found["label_names"] = table.label_names[label]
    if marked and config.task == "auto":
        found["task"] = "multi_label"
    if labelled and text is not None and label is not None:
        if table.kind in _DELIMITED and not config.header:
            _check_first_row(table.name, rows[0], text, label, problems)
        lists = _are_lists(sample.values(label))
        if config.task == "auto" and (lists or config.label_separator is not None):
            found["task"] = "multi_label"
    return config.model_copy(update=found)


def check_columns(table: Table, config: DataConfig, problems: Problems, *, labelled: bool) -> None:
    """Notes each column that the options name and the table does not have, or not as values."""
    form = FORMS.get(config.task)
    allowed = table.structured if form is not None else frozenset()
    if form is not None and labelled and config.label_column is None and not problems.count:
        problems.add(f"{table.name}: has no labels; data.task: {form.task} needs {form.needs}")
    for option, name in used_columns(config, labelled=labelled):
        if name in table.columns:
            fault = name_fault(name)
            if fault:
                problems.add(f"{table.name}: the column name {show(name)}: {fault}")
            if name in table.unusable and name not in allowed:
                problems.add(
                    f"{table.name}: data.{option}: received {show(name)}, a column of type "
                    f"{table.unusable[name]}; accepted: a column of {USABLE}"
                )
            continue
        near = difflib.get_close_matches(name, table.columns, 1)
        problems.add(
            f"{table.name}: data.{option}: received {show(name)}; accepted: one of the columns "
            f"{show_names(table.columns)}"
            + (f"; the nearest is {show(near[0])}" if near else "")
            + (f"; {table.advice}" if table.advice else "")
        )


def _without_structures(
    table: Table, rows: Sequence[Mapping[str, object]]
) -> Sequence[Mapping[str, object]]:
    """Rows with what a text or a label could be."""
    if not table.structured:
        return rows
    return [
        {name: value for name, value in row.items() if name not in table.structured} for row in rows
    ]


def _are_lists(values: list[object]) -> bool:
    """Whether labels are lists: one of them, or all of them written out in text."""
    if any(isinstance(value, list) for value in values):
        return True
    texts = [value for value in values if isinstance(value, str) and not is_missing(value)]
    return bool(texts) and all(parse_list(text) is not None for text in texts)


def _first_rows(table: Table) -> Sequence[Row]:
    """The first rows that can be read, at least one; of those with long texts fewer."""
    problems = Problems()
    first: list[Row] = []
    characters = 0
    with closing(table.rows(problems)) as rows:
        for row in itertools.islice(rows, SAMPLE_ROWS):
            first.append(row)
            characters += sum(map(_characters, row.values.values()))
            if characters >= SAMPLE_CHARACTERS:
                break
    if not first:
        problems.check()
        raise no_rows(table)
    return first


def _characters(value: object) -> int:
    """How many characters of a long text take as much memory as a value."""
    if isinstance(value, str):
        return len(value)
    return _ITEM_CHARACTERS * len(value) if isinstance(value, list) else 0


def no_rows(table: Table) -> UserError:
    """The error for a source that can be read and holds nothing."""
    return UserError(
        f"{table.name}: has no examples, only the column names {show_names(table.columns)}"
    )


def _check_first_row(name: str, row: Row, text: str, label: str, problems: Problems) -> None:
    """Notes a first row of column names that was taken for an example."""
    cells = [str(row.values.get(column, "")).strip().lower() for column in (text, label)]
    if cells[0] in TEXT_NAMES and cells[1] in LABEL_NAMES:
        problems.add(
            f"{name}, row 1: {show_names(cells)} look like names of columns; accepted: "
            "data.header: true if they are"
        )
