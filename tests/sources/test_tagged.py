"""Lists of tokens and of tags, in all files that can hold lists."""

import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.sources.told import lines
from tf_finetune.errors import UserError
from tf_finetune.options.data import DataConfig
from tf_finetune.sources.columns import resolve_columns
from tf_finetune.sources.fingerprints import fingerprint
from tf_finetune.sources.reading import check_texts, read_records, read_texts
from tf_finetune.sources.records import Record

TAGS = DataConfig().model_copy(update={"task": "token_classification"})
ROWS = [
    {"id": "7", "tokens": ["Anna", "sings"], "tags": ["B-per", "O"]},
    {"id": "8", "tokens": ["in", "Rome"], "tags": ["O", "B-loc"]},
]
RECORDS = [
    Record(1, "Anna sings", None, ("B-per", "O"), ((0, 4), (5, 10))),
    Record(2, "in Rome", None, ("O", "B-loc"), ((0, 2), (3, 7))),
]


def faults(read, path, **options):
    with pytest.raises(UserError) as caught:
        read(path, **options)
    return caught.value.problems


def test_lists_of_tokens_beside_lists_of_tags_are_recognised(write, read):
    path = write("a.jsonl", lines(*ROWS))
    assert read(path) == RECORDS
    config = resolve_columns(DataConfig(train=path))
    assert (config.task, config.text_column, config.label_column) == (
        "token_classification",
        "tokens",
        "tags",
    )


def test_lists_that_hold_other_labels_are_not(write):
    path = write("a.jsonl", lines({"text": "a b", "labels": ["x", "y"]}))
    assert resolve_columns(DataConfig(train=path)).task == "multi_label"


def test_lists_written_into_csv_and_tags_between_spaces(write, read):
    csv = (
        "tokens,tags\n\"['Anna', 'sings']\",\"['B-per', 'O']\"\n"
        "\"['in', 'Rome']\",\"['O', 'B-loc']\"\n"
    )
    found = read(write("a.csv", csv))
    assert [(r.text, r.label) for r in found] == [(r.text, r.label) for r in RECORDS]
    spaced = write("b.tsv", "text\ttags\nAnna  sings\tB-per O\n")
    config = resolve_columns(TAGS.model_copy(update={"train": spaced}))
    (record,) = read_records(config, spaced)
    assert record == Record(2, "Anna  sings", None, ("B-per", "O"), ((0, 4), (6, 11)))


def test_numbers_take_the_names_of_a_parquet_schema(tmp_path, read):
    feature = {
        "_type": "Sequence",
        "feature": {"_type": "ClassLabel", "names": ["O", "B-a", "I-a"]},
    }
    info = {"info": {"features": {"ner_tags": feature}}}
    table = pa.table(
        {"tokens": [["x", "y", "z"]], "ner_tags": [[0, 1, 2]], "pos_tags": [[5, 6, 7]]}
    )
    pq.write_table(
        table.replace_schema_metadata({"huggingface": json.dumps(info)}), tmp_path / "a.parquet"
    )
    (record,) = read(str(tmp_path / "a.parquet"))
    assert record.label == ("O", "B-a", "I-a")


def test_numbers_take_names_from_the_options(write, read):
    row = {"tokens": ["x", "y"], "ner_tags": [1, 0]}
    path = write("a.jsonl", lines(row, row))
    assert read(path, label_names=("O", "B-a"))[0].label == ("B-a", "O")
    fault = faults(read, path)[0]
    assert "word 1, column 'ner_tags': received 1 of 'x', which names no kind" in fault
    assert fault.endswith("of numbers, data.label_names gives the tags in their order")


def test_every_wrong_row_is_named(write, read):
    path = write(
        "a.jsonl",
        lines(
            {"tokens": ["a", "b"], "tags": ["O", "O"]},
            {"tokens": ["a", "b"], "tags": ["O"]},
            {"tokens": [], "tags": []},
            {"tokens": ["a", " ", 3], "tags": ["O", "O", "O"]},
            {"tokens": ["a"]},
            {"tokens": ["a", "\ud800"], "tags": ["O", "I-x"]},
        ),
    )
    config = TAGS.model_copy(
        update={"train": path, "text_column": "tokens", "label_column": "tags"}
    )
    with pytest.raises(UserError) as caught:
        list(read_records(config, path))
    found = [problem.removeprefix(f"{path}, row ") for problem in caught.value.problems]
    assert found == [
        "2, column 'tags': received 1 tags for 2 words; accepted: a tag for each word",
        "3, column 'tokens': received []; accepted: at least one word",
        "4, word 2, column 'tokens': received ' '; accepted: a text that is not empty",
        "4, word 3, column 'tokens': received 3; accepted: a word",
        "5, column 'tags': received nothing; the tags are missing; accepted: a list of tags",
        "6, word 2, column 'tokens': received '\\ud800'; holds half a surrogate pair; accepted: "
        "valid Unicode",
    ]


def test_spans_among_tags_are_an_error(write, read):
    row = {"text": "Anna sings", "tags": ["B-per", "O"]}
    path = write("a.jsonl", lines(*[row] * 10, {**row, "tags": [[0, 4, "x"]]}))
    config = resolve_columns(TAGS.model_copy(update={"train": path}))
    with pytest.raises(UserError) as caught:
        list(read_records(config, path))
    (fault,) = caught.value.problems
    assert fault.endswith("column 'tags': received [[0, 4, 'x']]; accepted: a list of tags")


def test_data_without_tags_is_an_error(write):
    path = write("a.csv", "text,label\none,x\n")
    with pytest.raises(
        UserError,
        match=r"a.csv: data.label_column cannot be inferred: no column holds tags of what 'text' "
        r"holds; data.task: token_classification needs words and tags",
    ):
        resolve_columns(TAGS.model_copy(update={"train": path}))


def test_options_of_other_tasks_are_errors(write):
    path = write("a.jsonl", lines(*ROWS))
    options = {"train": path, "label_separator": ";", "choice_columns": ("id",)}
    with pytest.raises(UserError) as caught:
        resolve_columns(TAGS.model_copy(update=options))
    assert [problem[:45] for problem in caught.value.problems] == [
        "data.choice_columns: received ('id',) with da",
        "data.label_separator: received ';' with data.",
    ]
    with pytest.raises(UserError, match=r"data.span_columns: \('id',\); accepted: data.task: "):
        resolve_columns(DataConfig(train=path, span_columns=("id",)))
    with pytest.raises(UserError, match=r"data.span_columns: received \('id',\) with data.task: s"):
        resolve_columns(DataConfig(train=path, task="single_label", span_columns=("id",)))


def test_texts_to_predict_are_cut_into_words(write):
    config = TAGS.model_copy(update={"text_column": "1", "label_column": "2"})
    expected = [Record(1, "Anna, 我", None, None, ((0, 4), (4, 5), (6, 7)))]
    assert list(read_texts(config, write("a.txt", "Anna, 我\n"))) == expected
    assert list(read_texts(config, io.StringIO("Anna, 我\n"))) == expected
    assert check_texts(["Anna, 我"], [], ("text", ""), task="token_classification") == expected
    assert next(read_texts(config, write("b.txt", "[1]\n"))).text == "[1]"


def test_texts_to_predict_may_stand_in_other_columns_than_those_of_training(write):
    config = TAGS.model_copy(update={"text_column": "1", "label_column": "2"})
    notes = []
    path = write("a.jsonl", lines(*ROWS))
    found = list(read_texts(config, path, notes=notes))
    assert [(r.text, r.spans, r.label) for r in found] == [
        ("Anna sings", ((0, 4), (5, 10)), None),
        ("in Rome", ((0, 2), (3, 7)), None),
    ]
    assert notes == [f"{path}: has no column '1'; taken are data.text_column: tokens"]


def test_the_task_counts_for_what_is_kept(write):
    path = write("a.jsonl", lines(*ROWS))
    config = resolve_columns(DataConfig(train=path))
    assert fingerprint(config, path) != fingerprint(
        config.model_copy(update={"task": "auto"}), path
    )
    named = config.model_copy(update={"label_names": ("O", "B-per", "B-loc")})
    assert fingerprint(config, path) != fingerprint(named, path)
