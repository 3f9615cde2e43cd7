"""Words, answers, relations and choices that a caller in Python holds."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from tf_finetune.api.examples import source_of
from tf_finetune.options.data import DataConfig
from tf_finetune.sources.columns import resolve_columns
from tf_finetune.sources.reading import read_records
from tf_finetune.sources.records import Record

TAGGED = {
    "tokens": [["Anna", "sings"], ["in", "Rome"]],
    "tags": [["B-per", "O"], ["O", "B-loc"]],
}
ANSWERS = {
    "question": ["Where?", "Who?"],
    "context": ["In Rome.", "In Rome."],
    "answers": [{"text": ["Rome"], "answer_start": [3]}, {"text": [], "answer_start": []}],
}
RELATIONS = {
    "text": ["Anna sings arias", "Leo eats figs"],
    "head": [[0, 4], [0, 3]],
    "tail": [[11, 16], [9, 13]],
    "relation": ["sings", "eats"],
}
CHOICES = {"context": ["a", "b"], "choices": [["x", "y"], ["z", "x"]], "label": [1, 0]}


def records(data):
    held = source_of(data, "data")
    config = resolve_columns(DataConfig(train=held.source))
    return config.task, list(read_records(config, held.source))


@pytest.mark.parametrize(
    "given", [lambda data: data, pd.DataFrame, pa.table], ids=["dictionary", "DataFrame", "table"]
)
@pytest.mark.parametrize(
    ("task", "data", "first"),
    [
        (
            "token_classification",
            TAGGED,
            Record(1, "Anna sings", None, ("B-per", "O"), ((0, 4), (5, 10))),
        ),
        ("span", ANSWERS, Record(1, "Where?", "In Rome.", ("Rome",), ((3, 7),))),
        (
            "relation",
            RELATIONS,
            Record(1, "$ Anna $ sings # arias #", None, "sings", ((0, 8), (15, 24))),
        ),
        ("multiple_choice", CHOICES, Record(1, "a", None, "1", choices=("x", "y"))),
    ],
)
def test_each_task_is_recognised_in_memory(given, task, data, first):
    found, (one, _) = records(given(data))
    assert (found, one) == (task, first)


def test_cells_may_be_arrays_and_tuples():
    frame = pd.DataFrame(
        {
            "tokens": [np.array(["Anna", "sings"]), np.array(["in", "Rome"])],
            "tags": [("B-per", "O"), ("O", "B-loc")],
        }
    )
    assert records(frame) == records(TAGGED)


def test_other_structures_have_other_names():
    changed = {**ANSWERS, "answers": [ANSWERS["answers"][0]] * 2}
    assert source_of(ANSWERS, "data").source != source_of(changed, "data").source
