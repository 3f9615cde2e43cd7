"""Answers as a Parquet file, made of the lines that are complete."""

import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tf_finetune.prediction.sureness import SURE
from tf_finetune.tasks.labels import LabelSpace

_GROUP_ROWS = 8192  # in memory at a time


def answer_schema(labels: LabelSpace, *, pairs: bool, marked: bool = False) -> pa.Schema:
    """Columns of a file of answers.

    `text` (and `text_pair`), then `label`, `labels`, `value` or `entities`, and where there are
    any `probabilities`, a map from label to number in the order of the answers. `sure` stands
    before them where answers are `marked`.
    """
    fields = [("text", pa.string()), *([("text_pair", pa.string())] if pairs else [])]
    fields += [(labels.answer_key, labels.answer_type()), *labels.further_columns()]
    if marked:
        fields.append((SURE, pa.bool_()))
    if labels.lists_probabilities:
        fields.append(("probabilities", pa.map_(pa.string(), pa.float64())))
    return pa.schema(fields)


def write_parquet(
    lines: Path, target: Path, labels: LabelSpace, *, pairs: bool, marked: bool = False
) -> None:
    """Turns a file of JSON lines into Parquet, a row group in memory at a time.

    Args:
        lines: Answers, a JSON object a line.
        target: The file to write.
        labels: What the answers mean.
        pairs: Whether texts come in pairs.
        marked: Whether answers say if they are sure.
    """
    schema = answer_schema(labels, pairs=pairs, marked=marked)
    with lines.open(encoding="utf-8") as file, pq.ParquetWriter(target, schema) as writer:
        rows = (_row(json.loads(line)) for line in file)
        for group in _groups(rows):
            writer.write_table(pa.Table.from_pylist(group, schema))


def _row(answer: dict[str, Any]) -> dict[str, Any]:
    if "probabilities" in answer:
        answer["probabilities"] = list(answer["probabilities"].items())
    return answer


def _groups(rows: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    while group := list(itertools.islice(rows, _GROUP_ROWS)):
        yield group
