"""Questions, contexts, and answers that have to stand where their offsets say."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.sources.told import faults, lines
from tf_finetune.errors import UserError
from tf_finetune.options.data import DataConfig
from tf_finetune.sources.columns import resolve_columns
from tf_finetune.sources.reading import read_records, read_texts
from tf_finetune.sources.records import Record

CONTEXT = "Rome is in Italy. Rome is old."
SPAN = DataConfig().model_copy(update={"task": "span"})


def squad(*questions, context=CONTEXT):
    return json.dumps(
        {
            "version": "v2.0",
            "data": [{"title": "x", "paragraphs": [{"context": context, "qas": list(questions)}]}],
        }
    )


def asked(*answers, **more):
    return {
        "question": "Where?",
        "answers": [{"text": text, "answer_start": start} for text, start in answers],
        **more,
    }


@pytest.mark.parametrize("indent", [None, 1])
def test_squad_is_recognised_by_its_content(write, read, indent):
    content = json.loads(squad(asked(("Italy", 11), ("Italy", 11), ("Rome", 18), id="a"), asked()))
    path = write("a.json", json.dumps(content, indent=indent))
    config = resolve_columns(DataConfig(train=path))
    assert (config.task, config.text_column, config.text_pair_column, config.label_column) == (
        "span",
        "question",
        "context",
        "answers",
    )
    assert resolve_columns(config) == config
    assert read(path) == [
        Record(1, "Where?", CONTEXT, ("Italy", "Rome"), ((11, 16), (18, 22))),
        Record(2, "Where?", CONTEXT, (), ()),
    ]


def test_questions_are_counted_through_articles_and_paragraphs(write, read):
    paragraph = {"context": CONTEXT, "qas": [asked(("Rome", 0)), asked(("old", 26))]}
    articles = [{"paragraphs": [paragraph, paragraph]}, {"paragraphs": [paragraph]}]
    assert [r.row for r in read(write("a.json", json.dumps({"data": articles})))] == [*range(1, 7)]
    assert len(read(write("b.json", lines(*articles)))) == 6
    assert len(read(write("c.jsonl", lines(paragraph, paragraph)))) == 4


def test_impossible_questions_have_no_answers(write, read):
    impossible = {
        "question": "Who?",
        "is_impossible": True,
        "plausible_answers": [1],
        "answers": [],
    }
    del_answers = {"question": "Who?", "is_impossible": True}
    found = read(write("a.json", squad(impossible, del_answers)))
    assert [(r.label, r.spans) for r in found] == [((), ()), ((), ())]
    (fault,) = faults(read, write("b.json", squad(asked(("Rome", 0), is_impossible=True))))
    assert fault.startswith("1: is_impossible is true, but there is the answer")


def test_an_answer_that_does_not_stand_at_its_offset_is_an_error(write, read):
    path = write(
        "a.json",
        squad(
            asked(("Italy", 12), id="q1"),
            asked(("Rome", 17)),
            asked(("Oslo", 0)),
            asked(("old", 99)),
            asked(("old", -4)),
            asked(("", 3)),
        ),
    )
    assert faults(read, path) == [
        "1 (id 'q1'), column 'answers': received the answer 'Italy' at 12, where the context has "
        "'taly.'; accepted: 11, where it stands",
        "2, column 'answers': received the answer 'Rome' at 17, where the context has ' Rom'; "
        "accepted: 18, where it stands",
        "3, column 'answers': received the answer 'Oslo' at 0, where the context has 'Rome', and "
        "nowhere that answer; accepted: a text of the context",
        "4, column 'answers': received the answer 'old' at 99, but the context has 30 characters; "
        "accepted: 26, where it stands",
        "5, column 'answers': received the answer 'old' at -4, but the context has 30 characters; "
        "accepted: 26, where it stands",
        "6, column 'answers': received the answer ''; accepted: a text that is not empty",
    ]


def test_broken_structures_are_named(write, read):
    path = write("a.json", json.dumps({"data": [{"paragraphs": [{"context": CONTEXT}]}]}))
    with pytest.raises(UserError, match=r"row 1: received the paragraph {'context.*qas, a list"):
        read(path)
    content = squad({"question": "Where?", "answers": ["Rome"]}, {"answers": []})
    path = write("b.json", content)
    with pytest.raises(UserError) as caught:
        list(read_records(resolve_columns(DataConfig(train=path)), path))
    assert "row 1, column 'answers': received ['Rome']; accepted: a list of objects with" in str(
        caught.value
    )
    assert "row 2, column 'question': received nothing" in str(caught.value)


def test_a_mark_before_a_context_moves_its_offsets(write, notes_of):
    path = write("a.json", squad(asked(("Rome", 1)), context="\ufeffRome is old."))
    (record,), notes = notes_of(path)
    assert (record.text_pair, record.spans) == ("Rome is old.", ((0, 4),))
    assert notes == [
        "contexts that begin with a byte order mark, which was left out: 1, such as row 1"
    ]


@pytest.mark.parametrize(
    "answers",
    [
        {"text": ["Italy"], "answer_start": [11]},
        [{"text": "Italy", "answer_start": 11}],
        {"text": "Italy", "answer_start": 11},
    ],
)
def test_rows_of_question_context_and_answers_are_recognised(write, read, answers):
    row = {"id": "1", "title": "t", "context": CONTEXT, "question": "Where?", "answers": answers}
    found = read(write("a.jsonl", lines(row, {**row, "answers": {"text": [], "answer_start": []}})))
    assert found == [
        Record(1, "Where?", CONTEXT, ("Italy",), ((11, 16),)),
        Record(2, "Where?", CONTEXT, (), ()),
    ]


def test_parquet_keeps_answers_as_structures(tmp_path, read):
    answers = [{"text": ["Italy"], "answer_start": [11]}, {"text": [], "answer_start": []}]
    columns = {"question": ["Where?"] * 2, "context": [CONTEXT] * 2, "answers": answers}
    pq.write_table(pa.table(columns), tmp_path / "a.parquet")
    found = read(str(tmp_path / "a.parquet"))
    assert [(r.label, r.spans) for r in found] == [(("Italy",), ((11, 16),)), ((), ())]


def test_files_of_a_folder_keep_structures_too(tmp_path, read):
    answers = [{"text": ["Italy"], "answer_start": [11]}]
    columns = {"question": ["Where?"], "context": [CONTEXT], "answers": answers}
    for part in ("a", "b"):
        pq.write_table(pa.table(columns), tmp_path / f"{part}.parquet")
    assert [r.spans for r in read(str(tmp_path))] == [((11, 16),)] * 2


def test_answers_may_stand_in_two_columns(write, read):
    content = (
        f"question,context,answer_text,answer_start\nWhere?,{CONTEXT},Italy,11\nWho?,{CONTEXT},,\n"
    )
    path = write("a.csv", content)
    config = resolve_columns(DataConfig(train=path))
    assert (config.label_column, config.span_columns) == ("answer_text", ("answer_start",))
    assert [(r.label, r.spans) for r in read(path)] == [(("Italy",), ((11, 16),)), ((), ())]
    (fault,) = faults(read, write("b.csv", content.replace(",11", ",x")))
    assert fault == (
        "2, column 'answer_text': received 'Italy'; with the start 'x'; accepted: an answer and "
        "its start, or neither"
    )


def test_structures_written_into_csv_are_read(write, read):
    answers = "\"{'text': ['Italy'], 'answer_start': [11]}\""
    (record,) = read(write("a.csv", f"question,context,answers\nWhere?,{CONTEXT},{answers}\n"))
    assert record.spans == ((11, 16),)


def test_other_columns_and_tasks_are_not_taken_for_it(write):
    path = write("a.csv", "question,context,label\nWhere?,Rome.,x\nWho?,He.,y\nIs it?,No.,x\n")
    config = resolve_columns(DataConfig(train=path))
    assert (config.task, config.text_column, config.label_column) == ("auto", "question", "label")
    with pytest.raises(UserError) as caught:
        resolve_columns(SPAN.model_copy(update={"train": path}))
    (problem,) = caught.value.problems
    assert problem.startswith(
        f"{path}: data.label_column cannot be inferred: no column holds answers with their places; "
        "data.task: span needs questions, contexts and answers"
    )


def test_questions_to_predict_need_no_answers(write):
    row = {"question": "Where?", "context": CONTEXT}
    config = SPAN.model_copy(
        update={
            "text_column": "question",
            "text_pair_column": "context",
            "label_column": "answer_text",
            "span_columns": ("answer_start",),
        }
    )
    path = write("a.jsonl", lines(row))
    notes = []
    found = list(read_texts(config, path, notes=notes))
    assert (found, notes) == ([Record(1, "Where?", CONTEXT, None)], [])
    assert list(read_texts(SPAN, path)) == [Record(1, "Where?", CONTEXT, None)]
    assert [r.label for r in read_texts(config, write("b.json", squad(asked(("x", 0)))))] == [None]
    with pytest.raises(UserError, match=r"holds one text a line, but data.text_pair_column is"):
        read_texts(config, write("a.txt", "Where?\n"))
