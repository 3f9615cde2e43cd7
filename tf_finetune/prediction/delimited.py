"""Answers as CSV or TSV, made of the lines that are complete."""

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from tf_finetune.errors import UserError
from tf_finetune.prediction.sureness import SURE
from tf_finetune.tasks.labels import LabelSpace

DELIMITERS = {".csv": ",", ".tsv": "\t"}
# Joins the labels of a text; the first that no label holds.
_SEPARATORS = (",", ";", "|", "/", "+", "&", "#", "~", "^")
# What spreadsheets take for the beginning of a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def label_separator(labels: LabelSpace, wanted: str | None) -> str:
    """What stands between the labels of one text: `data.label_separator` reads them back.

    Args:
        labels: What the answers mean.
        wanted: `data.label_separator`, None: whatever no label holds.

    Raises:
        UserError: Labels hold what is wanted, or each of those that are tried.
    """
    if not labels.holds_several:
        return _SEPARATORS[0]
    tried = _SEPARATORS if wanted is None else (wanted,)
    for separator in tried:
        if not any(separator in name for name in labels.names):
            return separator
    held = " and ".join(map(repr, tried))
    raise UserError(
        f"--output: labels hold {held}, so several in one field could not be told apart; accepted: "
        "a data.label_separator that no label holds, or a JSONL or Parquet file, which have lists"
    )


def begins_formula(fields: Iterable[Any]) -> bool:
    """Whether a spreadsheet would take one of a row's fields for a formula."""
    return any(isinstance(field, str) and field.startswith(_FORMULA) for field in fields)


def write_delimited(
    lines: Path,
    target: Path,
    labels: LabelSpace,
    *,
    delimiter: str,
    listed: bool,
    separator: str,
    marked: bool = False,
) -> int:
    """Turns a file of JSON lines into CSV or TSV, a row in memory at a time.

    UTF-8 with a byte order mark, by which spreadsheets know it; texts are quoted, numbers are
    not; columns as in docs/prediction.md.

    Args:
        lines: Answers, a JSON object a line.
        target: The file to write.
        labels: What the answers mean.
        delimiter: Of `DELIMITERS`.
        listed: Whether the answers have the likeliest labels alone, likeliest first.
        separator: From `label_separator`.
        marked: Whether answers say if they are sure.

    Returns:
        How many rows hold what a spreadsheet would take for a formula.
    """
    formulas = 0
    with (
        lines.open(encoding="utf-8") as answers,
        target.open("w", encoding="utf-8-sig", newline="") as file,
    ):
        writer = csv.writer(
            file, delimiter=delimiter, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n"
        )
        number = 0
        for number, line in enumerate(answers, start=1):
            answer = json.loads(line)
            if number == 1:
                writer.writerow(_columns(labels, answer, listed=listed))
            for fields in _rows(labels, answer, separator, listed=listed):
                row = [number, *fields]
                formulas += begins_formula(row)
                writer.writerow(row)
        if not number:  # an empty standard input, which holds single texts
            nothing: dict[str, Any] = {"text": "", **({SURE: None} if marked else {})}
            if labels.lists_probabilities:
                nothing["probabilities"] = {} if listed else dict.fromkeys(labels.names)
            writer.writerow(_columns(labels, nothing, listed=listed))
    return formulas


def _columns(labels: LabelSpace, answer: Mapping[str, Any], *, listed: bool) -> Iterator[str]:
    yield from ("row", *(name for name in ("text", "text_pair") if name in answer))
    yield from labels.answer_columns()
    yield from (name for name in (SURE,) if name in answer)
    for place, name in enumerate(answer.get("probabilities", ()), start=1):
        yield from (
            (f"label {place}", f"probability {place}") if listed else (f"probability of {name}",)
        )


def _rows(
    labels: LabelSpace, answer: Mapping[str, Any], separator: str, *, listed: bool
) -> Iterator[list[Any]]:
    texts = [answer[name] for name in ("text", "text_pair") if name in answer]
    sure = [answer[SURE]] if SURE in answer else []
    shares = [
        field
        for name, share in answer.get("probabilities", {}).items()
        for field in ((name, share) if listed else (share,))
    ]
    for fields in labels.answer_rows(answer, separator):
        yield [*texts, *fields, *sure, *shares]
