"""Streams the records of a source, and says at its end all that is wrong with it."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TextIO

from tf_finetune.errors import UserError
from tf_finetune.options.data import DataConfig
from tf_finetune.sources.column_options import COLUMN_OPTIONS, used_columns
from tf_finetune.sources.columns import check_columns, infer_columns, no_rows
from tf_finetune.sources.fields import label_columns
from tf_finetune.sources.opening import open_table
from tf_finetune.sources.problems import Problems, show_names
from tf_finetune.sources.record_form import ReadRow
from tf_finetune.sources.record_forms import FORMS, row_reader
from tf_finetune.sources.records import Record
from tf_finetune.sources.table import Row, Table
from tf_finetune.sources.text_lines import bounded_lines


def read_records(
    config: DataConfig,
    source: str,
    *,
    split: str = "train",
    labelled: bool = True,
    notes: list[str] | None = None,
) -> Iterator[Record]:
    """Streams the examples of a source, in their order, a few at a time in memory.

    Args:
        config: Options of the data section as `resolve_columns` returned them.
        source: A file or folder, `tfds:NAME` or `builtin:docstrings`.
        split: `train`, `validation` or `test`, for a TFDS source that does not say.
        labelled: Whether labels are read; without, no label column is needed.
        notes: Gets, at the end, sentences about rows that were read or skipped and of which the
            user should know.

    Returns:
        An iterator over the good records. It raises `UserError` at the end if any row was
        bad, so nothing made of the records may be kept before it has ended.

    Raises:
        UserError: The source cannot be opened or lacks a column.
        ValueError: The columns are not resolved.
    """
    if config.text_column is None or (labelled and not label_columns(config)):
        raise ValueError("the columns must be resolved first, by resolve_columns")
    table = open_table(config, source, split=split)
    if labelled and table.kind == "lines":
        raise UserError(f"{source}: {table.advice}")
    problems = Problems()
    check_columns(table, config, problems, labelled=labelled)
    problems.check()
    return _records(table, config, labelled=labelled, notes=notes)


def read_texts(
    config: DataConfig, source: str | TextIO, *, notes: list[str] | None = None
) -> Iterator[Record]:
    """Streams texts to predict; labels are not read and need not be there.

    Args:
        config: Options of the data section. If the text column is not set, it is inferred.
        source: As for `read_records`; a .txt file without a tab in its first row, or an open
            text file such as standard input, holds one text a line.
        notes: As for `read_records`; those about opening the source stand before.

    Raises:
        UserError: As `read_records`; or pairs of texts are needed and lines hold one.
    """
    if not isinstance(source, str):
        name = str(getattr(source, "name", "standard input"))
        return _line_records(_line_options(config, name), source, name)
    table = open_table(config, source, split="test")
    if table.kind == "lines":
        return _records(table, _line_options(config, source), labelled=False, notes=notes)
    problems = Problems()
    if config.task in FORMS:
        config = _columns_of_other_form(table, config, notes)
    if config.text_column is None:
        config = infer_columns(table, config, problems, labelled=False)
    check_columns(table, config, problems, labelled=False)
    problems.check()
    if notes is not None:
        notes += table.notes
    return _records(table, config, labelled=False, notes=notes)


def check_texts(
    texts: Sequence[str],
    pairs: Sequence[str],
    flags: tuple[str, str],
    *,
    task: str = "auto",
    choices: Sequence[Sequence[str]] = (),
) -> list[Record]:
    """Texts that were given on the command line, checked as those of a file are.

    Args:
        texts: The texts.
        pairs: Their second texts, as many; empty for single texts.
        flags: What the two are called there, for messages.
        task: As `data.task`; it says what is made of the texts, as words with their places.
        choices: What is chosen from, as many for each text; empty if nothing is.

    Raises:
        UserError: Texts are empty or no valid Unicode; all of them are listed.
    """
    text_flag, pair_flag = flags
    config = DataConfig(text_column=text_flag, text_pair_column=pair_flag if pairs else None)
    names = tuple(f"choices[{place}]" for place in range(len(choices[0]))) if choices else ()
    config = config.model_copy(update={"task": task, "choice_columns": names or None})
    seconds = [{pair_flag: pair} for pair in pairs] or [{} for _ in texts]
    thirds = [dict(zip(names, one, strict=True)) for one in choices] or [{} for _ in texts]
    rows = (
        Row(number, {text_flag: text, **second, **third}, f"text {number}")
        for number, (text, second, third) in enumerate(
            zip(texts, seconds, thirds, strict=True), start=1
        )
    )
    problems = Problems()
    records = list(_good_records(rows, row_reader(None, config, problems, labelled=False)))
    problems.check()
    return records


def as_read(records: list[Record], flags: tuple[str, str], *, task: str) -> list[Record]:
    """Good texts as a task reads them: those of most as they are, of others with their words.

    Args:
        records: Texts, or pairs of them.
        flags: As for `check_texts`.
        task: As `data.task`.

    Raises:
        UserError: A text is none of the task's; all of them are listed.
    """
    if task not in FORMS:
        return records
    pairs = [record.text_pair for record in records if record.text_pair is not None]
    choices = [record.choices for record in records if record.choices]
    texts = [record.text for record in records]
    return check_texts(texts, pairs, flags, task=task, choices=choices)


def _records(
    table: Table, config: DataConfig, *, labelled: bool, notes: list[str] | None
) -> Iterator[Record]:
    problems = Problems()
    read = row_reader(table, config, problems, labelled=labelled)
    count = 0
    for record in _good_records(table.rows(problems), read):
        count += 1
        yield record
    problems.check()
    if not count:
        raise no_rows(table)
    if notes is not None:
        notes += problems.notes()


def _line_records(config: DataConfig, lines: TextIO, name: str) -> Iterator[Record]:
    problems = Problems()
    rows = _line_rows(lines, name, problems)
    yield from _good_records(rows, row_reader(None, config, problems, labelled=False))
    problems.check()


def _line_rows(lines: TextIO, name: str, problems: Problems) -> Iterator[Row]:
    row = blank = 0
    try:
        for row, line in enumerate(bounded_lines(lines, name, problems), 1):
            if line.isspace():
                blank = blank or row
                continue
            if blank:
                # Whoever writes into a pipe may count answers by lines: none comes after a gap.
                problems.stop(
                    f"{name}, row {blank}: is blank; blank lines may only stand at the end"
                )
            yield Row(row, {"text": line.rstrip("\r\n")}, f"{name}, row {row}")
    except UnicodeDecodeError as error:
        problems.stop(f"{name}: cannot be decoded soon after row {row}: {error}")
    except OSError as error:
        problems.stop(f"{name}: cannot be read after row {row}: {error.strerror or error}")


def _line_options(config: DataConfig, name: str) -> DataConfig:
    for option in ("text_pair_column", "choice_columns"):
        value = getattr(config, option)
        if value is not None:
            raise UserError(
                f"{name}: holds one text a line, but data.{option} is {value!r}; accepted: a file "
                f"with {'both' if option == 'text_pair_column' else 'all'} columns"
            )
    return config.model_copy(update={"text_column": "text", "span_columns": None})


def _columns_of_other_form(table: Table, config: DataConfig, notes: list[str] | None) -> DataConfig:
    """The options for a table that has not the columns of the training examples.

    Tags may be learned from CoNLL columns and predicted for a column of texts.
    """
    missing = [
        name for _, name in used_columns(config, labelled=False) if name not in table.columns
    ]
    if not missing:
        return config
    problems = Problems()
    found = infer_columns(
        table, config.model_copy(update=dict.fromkeys(COLUMN_OPTIONS)), problems, labelled=False
    )
    problems.check()
    if notes is not None:
        taken = ", ".join(f"data.{o}: {name}" for o, name in used_columns(found, labelled=False))
        notes.append(f"{table.name}: has no column {show_names(missing)}; taken are {taken}")
    return found


def _good_records(rows: Iterable[Row], read: ReadRow) -> Iterator[Record]:
    for row in rows:
        record = read(row)
        if record is not None:
            yield record
