"""Texts with marked spans of characters, as doccano and Label Studio export them."""

import json

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.sources.told import faults, lines
from tf_finetune.options.data import DataConfig
from tf_finetune.sources.columns import resolve_columns
from tf_finetune.sources.in_memory import InMemory, keep
from tf_finetune.sources.marked_spans import as_marks, tagged_words
from tf_finetune.sources.reading import read_records
from tf_finetune.sources.records import Record

TEXT = "Anna Lee lives in Rome."
TAGS = ("B-per", "I-per", "O", "O", "B-loc", "O")
WORDS = ((0, 4), (5, 8), (9, 14), (15, 17), (18, 22), (22, 23))
RECORD = Record(1, TEXT, None, TAGS, WORDS)
SPANS = [[18, 22, "loc"], [0, 8, "per"]]


def dicts(start, end, label):
    return [{"id": 5, start: s, end: e, label: kind} for s, e, kind in SPANS]


@pytest.mark.parametrize("text", ["text", "data"])
@pytest.mark.parametrize(
    ("column", "spans"),
    [
        ("label", SPANS),
        ("labels", SPANS),
        ("entities", dicts("start_offset", "end_offset", "label")),
        ("spans", dicts("start", "end", "label")),
        ("label", [{"start": s, "end": e, "labels": [kind]} for s, e, kind in SPANS]),
    ],
)
def test_spans_with_kinds_are_recognised(write, read, text, column, spans):
    row = {"id": 1, text: TEXT, column: spans}
    path = write("a.jsonl", lines(row, {**row, column: []}))
    config = resolve_columns(DataConfig(train=path))
    assert (config.task, config.text_column, config.label_column) == (
        "token_classification",
        text,
        column,
    )
    assert read(path) == [RECORD, Record(2, TEXT, None, ("O",) * 6, WORDS)]


def test_spans_with_relations_are_left_to_the_user(write):
    row = {"text": TEXT, "entities": SPANS, "relations": [{"from_id": 1, "to_id": 2}]}
    path = write("a.jsonl", lines(row, row))
    config = DataConfig(train=path, text_column="text", label_column="entities")
    assert resolve_columns(config).task != "token_classification"


def test_spans_that_end_inside_words_cut_them(write, read):
    row = {"text": "Romans, 罗马人", "label": [[0, 4, "loc"], [8, 10, "loc"]]}
    (record, _) = read(write("a.jsonl", lines(row, row)))
    assert record.spans == ((0, 4), (4, 6), (6, 7), (8, 9), (9, 10), (10, 11))
    assert record.label == ("B-loc", "O", "O", "B-loc", "I-loc", "O")


def test_ends_that_count_themselves_are_seen_in_the_whole_source(write, notes_of):
    inclusive = [[s, e - 1, kind] for s, e, kind in SPANS]
    rows = [{"text": TEXT, "label": inclusive}, {"text": "In Rome", "label": [[0, 0, "x"]]}]
    records, notes = notes_of(write("a.jsonl", lines(*rows, rows[0])))
    assert records[0] == RECORD
    assert records[1].spans == ((0, 1), (1, 2), (3, 7))
    assert notes == [
        "spans whose ends are taken to be the offsets of their last characters, as most show: 3, "
        "such as row 1"
    ]


def test_one_slip_does_not_change_what_ends_mean(write, read):
    row = {"text": TEXT, "label": SPANS}
    records = read(write("a.jsonl", lines(*[row] * 9, {"text": TEXT, "label": [[18, 21, "loc"]]})))
    assert records[0] == RECORD
    assert records[-1].label[4:] == ("B-loc", "O", "O")


def test_white_space_at_borders_is_left_out_and_noted(write, notes_of):
    row = {"text": TEXT, "label": [[0, 9, "per"], [17, 22, "loc"]]}
    records, notes = notes_of(write("a.jsonl", lines(row, row)))
    assert records[0] == RECORD
    assert notes == [
        "texts with spans that have white space at their borders, which was left out: 2, such as "
        "row 1"
    ]


def test_every_wrong_row_is_named(write, read):
    def row(*spans):
        return {"text": TEXT, "label": list(spans)}

    path = write(
        "a.jsonl",
        lines(
            *[row(*SPANS)] * 50,
            row([18, 40, "loc"]),
            row([0, 8, "per"], [5, 8, "per"]),
            row([4, 5, "per"]),
            row([5, 4, "per"]),
            row([0, 4, ""]),
            row({"start": 0, "end": 4, "labels": ["a", "b"]}),
            row({"start": 0, "end": 4, "label": "per", "text": "Annie"}),
            {"text": TEXT, "label": None},
            {"text": TEXT, "label": [[0, 4]]},
        ),
    )
    assert faults(read, path) == [
        "51, column 'label': received [18, 40, 'loc'], which ends past the text of 23 characters; "
        "accepted: a span in it",
        "52, column 'label': received [5, 8, 'per'], which overlaps with [0, 8, 'per']; accepted: "
        "spans without a common character",
        "53, column 'label': received [4, 5, 'per'], which is white space; accepted: words",
        "54, column 'label': received [5, 4, 'per'], which has an end before its start; accepted: "
        "offsets from 0, the end behind the start",
        "55, column 'label': received [0, 4, ''], which names no kind; accepted: [start, end, "
        "kind]",
        "56, column 'label': received {'end': 4, 'labels': ['a', 'b'], 'start': 0}, which has 2 "
        "kinds; accepted: one",
        "57, column 'label': received {'end': 4, 'label': 'per', 'start': 0, 'text': 'Annie'}, "
        "which is where the text has 'Anna'; accepted: the place of its text",
        "58, column 'label': received None; the spans are missing; accepted: a list of [start, "
        "end, kind], [] for none",
        "59, column 'label': received [[0, 4]]; accepted: a list of [start, end, kind], [] for "
        "none",
    ]


def test_offsets_of_browsers_are_told_by_the_texts_of_spans():
    (mark,) = as_marks([{"start": 3, "end": 7, "text": "Rome", "label": "loc"}])
    found = tagged_words("🙂 Rome", [mark], inclusive=False)
    assert (found.spans, found.tags) == (((0, 1), (2, 6)), ("O", "B-loc"))


def studio(*results, **more):
    return {"id": 1, "data": {"text": TEXT, "source": "x"}, "annotations": list(results), **more}


def result(*spans, **more):
    return {
        "result": [
            {
                "type": "labels",
                "value": {"start": s, "end": e, "text": TEXT[s:e], "labels": [kind]},
                "from_name": "label",
                "to_name": "text",
            }
            for s, e, kind in spans
        ],
        **more,
    }


@pytest.mark.parametrize("indent", [None, 2])
def test_the_export_of_label_studio_is_recognised(write, notes_of, indent):
    tasks = [
        studio(result(*SPANS), result([0, 4, "x"])),
        studio(result([0, 4, "x"], was_cancelled=True), result(*SPANS)),
    ]
    records, notes = notes_of(write("a.json", json.dumps(tasks, indent=indent)))
    assert [(r.text, r.label) for r in records] == [(TEXT, TAGS)] * 2
    assert notes == [
        "texts with several annotations, of which the first was taken: 1, such as row 1"
    ]


def test_texts_that_nobody_annotated_and_other_annotations_are_errors(write, read):
    chosen = {"result": [{"type": "choices", "value": {"choices": ["a"]}}]}
    tasks = [*[studio(result(*SPANS))] * 20, studio(), studio(chosen)]
    path = write("a.json", json.dumps(tasks))
    assert faults(read, path) == [
        "21, column 'label': received nothing; the spans are missing; accepted: a list of [start, "
        "end, kind], [] for none",
        "22: received a result of type 'choices', which marks no words; accepted: results of type "
        "'labels'",
    ]


def test_spans_in_parquet_csv_and_memory(tmp_path, write, read):
    structures = pa.table({"text": [TEXT], "entities": [dicts("start", "end", "label")]})
    pq.write_table(structures, tmp_path / "a.parquet")
    assert read(str(tmp_path / "a.parquet")) == [RECORD]

    cell = json.dumps(SPANS).replace('"', '""')
    (record,) = read(write("a.csv", f'text,label\n{TEXT},"{cell}"\n'))
    assert (record.label, record.spans) == (TAGS, WORDS)

    frame = pd.DataFrame({"text": [TEXT, TEXT], "label": [[], SPANS]})
    columns = {
        name: lambda first, last, values=values: values[first:last]
        for name, values in frame.items()
    }
    examples = keep(InMemory("DataFrame", columns, 2))
    other = keep(InMemory("DataFrame", {**columns, "label": lambda *_: [[], SPANS[:1]]}, 2))
    assert examples.source != other.source
    config = resolve_columns(DataConfig(train=examples.source))
    first, second = read_records(config, examples.source)
    assert (first.label, second.label) == (("O",) * 6, TAGS)
