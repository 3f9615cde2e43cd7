"""Answers as a Parquet file."""

import json

import pyarrow.parquet as pq
import pytest

from tf_finetune.prediction.parquet import write_parquet
from tf_finetune.tasks.classes import Classes
from tf_finetune.tasks.several_classes import SeveralClasses
from tf_finetune.tasks.tags.tags import Tags
from tf_finetune.tasks.values import Values

CITY = {"start": 4, "end": 8, "text": "Rome", "label": "city", "probability": 0.75}
CASES = [
    (
        Classes(("neg", "pos")),
        {"label": "pos", "probabilities": {"pos": 0.75, "neg": 0.25}},
        {"label": "pos", "probabilities": [("pos", 0.75), ("neg", 0.25)]},
    ),
    (
        SeveralClasses(("dull", "good")),
        {"labels": [], "probabilities": {"dull": 0.1, "good": 0.2}},
        {"labels": [], "probabilities": [("dull", 0.1), ("good", 0.2)]},
    ),
    (Values(), {"value": 1.5}, {"value": 1.5}),
    (Tags(("O", "B-city", "I-city")), {"entities": [CITY]}, {"entities": [CITY]}),
]


@pytest.mark.parametrize(("labels", "answer", "expected"), CASES)
@pytest.mark.parametrize("texts", [{"text": "é"}, {"text": "a", "text_pair": "b"}])
def test_rows_hold_what_the_lines_hold(tmp_path, labels, answer, expected, texts):
    lines, target = tmp_path / "lines", tmp_path / "answers.parquet"
    lines.write_text(json.dumps({**texts, **answer}) + "\n", encoding="utf-8")

    write_parquet(lines, target, labels, pairs=len(texts) == 2)

    assert pq.read_table(target).to_pylist() == [{**texts, **expected}]
