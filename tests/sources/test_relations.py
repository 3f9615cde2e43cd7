"""Sentences with two marked entities and the relation between them."""

import pytest

from tests.sources.told import faults, lines
from tf_finetune.errors import UserError
from tf_finetune.options.data import DataConfig
from tf_finetune.sources.columns import resolve_columns
from tf_finetune.sources.entity_markers import mark_entities, read_markers
from tf_finetune.sources.reading import check_texts, read_records, read_texts
from tf_finetune.sources.records import Record

RELATION = DataConfig().model_copy(update={"task": "relation"})
TSV = (
    "Cause(e2,e1)\tThe <e1>flu</e1> comes from a <e2> virus </e2>.\n"
    "Other\t<e2>B</e2>, not <e1>A</e1>\n"
)
RECORDS = [
    Record(1, "The $ flu $ comes from a # virus # .", None, "Cause(e2,e1)", ((4, 11), (25, 34))),
    Record(2, "# B # , not $ A $", None, "Other", ((12, 17), (0, 5))),
]


def test_marked_sentences_are_recognised(write, read):
    path = write("a.tsv", TSV)
    config = resolve_columns(DataConfig(train=path, header=False))
    assert (config.task, config.text_column, config.label_column) == ("relation", "2", "1")
    assert resolve_columns(config) == config
    assert read(path, header=False) == RECORDS


def test_a_first_row_with_markers_names_no_columns(write):
    path = write("a.tsv", TSV)
    for config in (DataConfig(train=path), RELATION.model_copy(update={"train": path})):
        with pytest.raises(UserError, match=r"row 1: holds <e1> or <e2>, so it names no columns"):
            resolve_columns(config)


def test_places_say_where_the_entities_are():
    for record in RECORDS:
        for (start, end), sign in zip(record.spans, "$#", strict=True):
            assert record.text[start] == record.text[end - 1] == sign


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("a <e1>b</e1> c", "lacks <e2>; accepted: each entity once, between <e1> and </e1>, and"),
        ("<e1>b <e2>c</e2>", "lacks </e1>"),
        ("<e1>b</e1> <e1>c</e1> <e2>d</e2>", "has <e1> 2 times"),
        ("</e1>b<e1> <e2>d</e2>", "has </e1> before <e1>"),
        ("<e1>b <e2>c</e2></e1>", "has one entity in the other"),
        ("<e1>b <e2>c</e1> d</e2>", "has one entity in the other"),
        ("<e1> </e1> <e2>d</e2>", "has an empty entity 1"),
    ],
)
def test_markers_that_are_missing_doubled_or_nested_are_faults(write, read, text, fault):
    assert str(read_markers(text)).startswith(fault)
    path = write("a.tsv", f"{TSV}Other\t{text}\n")
    config = {"header": False, "text_column": "2", "label_column": "1"}
    config = RELATION.model_copy(update={"train": path, **config})
    with pytest.raises(UserError) as caught:
        list(read_records(resolve_columns(config), path))
    (problem,) = caught.value.problems
    assert problem.startswith(f"{path}, row 3, column '2': received {text!r}, which {fault}")


@pytest.mark.parametrize(
    ("names", "first", "second"),
    [
        (("head", "tail"), [4, 7], [13, 18]),
        (("subject", "object"), {"start": 4, "end": 7}, {"start": 13, "end": 18}),
        (("h", "t"), {"name": "flu", "pos": [4, 7]}, {"name": "virus", "pos": [13, 18]}),
    ],
)
def test_places_in_two_columns_are_recognised(write, read, names, first, second):
    row = {"text": "The flu is a virus.", names[0]: first, names[1]: second, "relation": "is"}
    other = {**row, names[0]: second, names[1]: first}
    path = write("a.jsonl", lines(row, other))
    config = resolve_columns(DataConfig(train=path))
    assert (config.task, config.span_columns) == ("relation", names)
    assert read(path) == [
        Record(1, "The $ flu $ is a # virus # .", None, "is", ((4, 11), (17, 26))),
        Record(2, "The # flu # is a $ virus $ .", None, "is", ((17, 26), (4, 11))),
    ]


def test_ends_that_count_themselves_are_seen_in_the_whole_source(write, notes_of):
    row = {"text": "The flu is a virus.", "head": [4, 6], "tail": [13, 17], "relation": "is"}
    records, notes = notes_of(write("a.jsonl", lines(row, row)))
    assert records[0].text == "The $ flu $ is a # virus # ."
    assert notes == [
        "spans whose ends are taken to be the offsets of their last characters, as most show: 2, "
        "such as row 1"
    ]


def test_wrong_places_are_errors(write, read):
    row = {"text": "The flu is a virus.", "head": [4, 7], "tail": [13, 18], "relation": "is"}
    path = write(
        "a.jsonl",
        lines(
            row,
            {**row, "tail": [13, 40]},
            {**row, "head": [7, 7]},
            {**row, "tail": [5, 8]},
            {**row, "head": {"start": 4, "end": 7, "text": "fly"}},
            {**row, "relation": ""},
            {**row, "head": {"start": 4}},
        ),
    )
    assert faults(read, path, span_columns=("head", "tail"), text_column="text") == [
        "2, column 'tail': received [13, 40]; is no place in the text of 19 characters; accepted: "
        "one in it",
        "3, column 'head': received [7, 7]; is no place in the text of 19 characters; accepted: "
        "one in it",
        "4, column 'text': received 'The flu is a virus.', which has one entity in the other; "
        "accepted: two places that do not overlap",
        "5, column 'head': received {'end': 7, 'start': 4, 'text': 'fly'}; is where the text has "
        "'flu'; accepted: its place",
        "6, column 'relation': received ''; accepted: the name of a relation, not empty and "
        "without control characters",
        "7, column 'head': received {'start': 4}; accepted: [start, end], or an object with start "
        "and end (or pos)",
    ]


def test_space_at_the_borders_of_an_entity_is_left_out():
    assert mark_entities("a b c", (0, 2), (3, 5)).text == "$ a $ b # c #"


def test_data_without_entities_is_an_error(write):
    path = write("a.csv", "text,label\na long text,x\nanother text,y\n")
    with pytest.raises(
        UserError, match=r"data.span_columns cannot be inferred: 'text' holds no markers, and no"
    ):
        resolve_columns(RELATION.model_copy(update={"train": path}))


def test_sentences_to_predict_need_no_relation(write):
    config = RELATION.model_copy(update={"text_column": "2", "label_column": "1"})
    expected = [("The $ flu $ comes from a # virus # .", None)]
    marked = "The <e1>flu</e1> comes from a <e2>virus</e2>."
    found = [*read_texts(config, write("a.txt", f"{marked}\n"))]
    found += read_texts(config, write("a.jsonl", lines({"sentence": marked})))
    found += check_texts([marked], [], ("text", ""), task="relation")
    assert [(r.text, r.label) for r in found] == expected * 3
    of_places = config.model_copy(update={"span_columns": ("head", "tail")})
    (record,) = read_texts(of_places, write("c.txt", f"{marked}\n"))
    assert record.text == expected[0][0]
    spans = config.model_copy(update={"text_column": "text", "span_columns": ("head", "tail")})
    (record,) = read_texts(
        spans, write("b.jsonl", lines({"text": "The flu.", "head": [0, 3], "tail": [4, 7]}))
    )
    assert record.text == "$ The $ # flu # ."
