"""JSON of every layout, good and bad."""

import json
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tf_finetune.errors import UserError
from tf_finetune.options.data import DataConfig
from tf_finetune.sources import json_files, json_values, text_lines
from tf_finetune.sources.columns import resolve_columns
from tf_finetune.sources.reading import read_records
from tf_finetune.sources.records import Record

_CONFIG = DataConfig(text_column="text", label_column="label")


def lines(*values: object) -> str:
    """One JSON value a line."""
    return "".join(json.dumps(value) + "\n" for value in values)


@pytest.mark.parametrize(
    ("label", "expected"), [("1", "1"), (1, "1"), (True, "1"), (3.8, "3.8"), (" x ", "x")]
)
def test_single_labels_become_strings(write, read, label, expected):
    path = write("a.jsonl", lines({"text": "one", "label": label}))
    assert read(path) == [Record(1, "one", None, expected)]


def test_list_of_labels_makes_the_task_multi_label(write):
    rows = [{"text": "one", "label": ["a", "b", "a"]}, {"text": "two", "label": []}]
    path = write("a.jsonl", lines(*rows))
    config = resolve_columns(DataConfig(train=path))
    assert config.task == "multi_label"
    assert [record.label for record in read_records(config, path)] == [("a", "b"), ()]


def test_lists_of_labels_are_read_as_such_in_a_single_label_task_too(write, read):
    path = write("a.jsonl", lines({"text": "one", "label": ["a"]}))
    assert read(path, task="single_label")[0].label == ("a",)


def test_zeros_and_ones_in_lists_keep_their_places(write, read):
    path = write("a.jsonl", lines(*({"text": "t", "label": y} for y in ([0, 1, 0], [True, 1.0]))))
    assert [record.label for record in read(path)] == [("0", "1", "0"), ("1", "1.0")]


def test_lists_written_out_in_text_make_the_task_multi_label(write, read):
    path = write("a.jsonl", lines(*({"text": "t", "label": y} for y in ("['a', 'b']", "", "[]"))))
    assert resolve_columns(DataConfig(train=path)).task == "multi_label"
    assert [record.label for record in read(path)] == [("a", "b"), (), ()]


def test_names_in_brackets_are_no_lists(write, read):
    path = write("a.jsonl", lines(*({"text": "t", "label": y} for y in ("[NEG]", "['a']"))))
    assert [record.label for record in read(path)] == ["[NEG]", "['a']"]


def test_regression_targets_are_numbers_or_text_that_holds_one(write, read):
    path = write("a.jsonl", lines(*({"text": "t", "label": y} for y in (1, 2.5, " 3e-1 "))))
    assert [record.label for record in read(path, task="regression")] == [1.0, 2.5, 0.3]


@pytest.mark.parametrize("label", [None, True, "", "nan", "1_0", [1], float("inf"), 10**400])
def test_other_regression_targets_are_problems(write, label):
    path = write("a.jsonl", lines({"text": "one", "label": label}))
    config = _CONFIG.model_copy(update={"task": "regression"})
    with pytest.raises(UserError, match=r"row 1, column 'label': .*accepted: a (finite num|label)"):
        list(read_records(config, path))


@pytest.mark.parametrize("label", [None, "", " ", float("nan")])
def test_missing_labels_are_called_missing(write, label):
    path = write("a.jsonl", lines({"text": "one", "label": label}))
    with pytest.raises(UserError, match=r"column 'label': received .*; the label is missing; acce"):
        list(read_records(_CONFIG, path))


def test_an_object_is_no_label(write):
    path = write("a.jsonl", lines({"text": "one", "label": {"a": 1}}))
    with pytest.raises(UserError, match=r"column 'label': .*several values; accepted: one label"):
        list(read_records(_CONFIG, path))


def test_an_object_or_a_list_is_no_text(write):
    texts = ({"body": "one", "lang": "en"}, ["one", "two"])
    path = write("a.jsonl", "".join(lines({"text": text, "label": "a"}) for text in texts))
    with pytest.raises(UserError) as error:
        list(read_records(_CONFIG, path))
    assert all("several values; accepted: one text" in line for line in error.value.problems)
    assert len(error.value.problems) == len(texts)


@pytest.mark.parametrize("text", [None, 7, "", "\u3000", ["a"], "nul\0", "\ud800"])
def test_fields_that_are_no_text_are_problems(write, text):
    path = write("a.jsonl", lines({"text": text, "label": "x"}))
    with pytest.raises(UserError, match=r"a.jsonl, row 1, column 'text': received .*accepted: "):
        list(read_records(_CONFIG, path))


def test_every_bad_line_is_named(write):
    path = write(
        "a.jsonl",
        '{"text": "fine", "label": "x"}\n{"text": \n[1]\n\n{"text": "a", "text": "b"}\n'
        '{"label": "x"}\n' + "[" * 100_000 + "\n",
    )
    with pytest.raises(UserError) as error:
        list(read_records(_CONFIG, path))
    expected = [
        "row 2: not valid JSON: Expecting value",
        "row 3: received [1]; accepted: a JSON object",
        "row 5: not valid JSON: the name 'text' occurs more than once",
        "row 6, column 'text': received nothing",
        "row 7: not valid JSON: ",
    ]
    for problem, part in zip(error.value.problems, expected, strict=True):
        assert part in problem


def test_repeated_name_among_200_000_is_found_in_a_moment(write):
    names = "".join(f'"n{number}": 0, ' for number in range(200_000))
    path = write("a.jsonl", f'{{{names}"n199999": 1}}\n')
    began = time.process_time()
    with pytest.raises(UserError, match=r"row 1: not valid JSON: the name 'n199999' occurs more"):
        list(read_records(_CONFIG, path))
    assert time.process_time() - began < 30  # by counting each it took some minutes


ROWS = [{"text": "one, two", "label": "x"}, {"text": 'drei\n[{"', "label": "y"}]
_LAYOUTS = {
    "lines": "".join(json.dumps(row) + "\n" for row in ROWS),
    "lines with a mark and blank lines": "\ufeff" + "\n\n".join(json.dumps(row) for row in ROWS),
    "array": json.dumps(ROWS),
    "array, one object a line": "[\n" + ",\n".join(map(json.dumps, ROWS)) + "\n]\n",
    "array, printed": json.dumps(ROWS, indent=2),
    "array with a mark": "\ufeff \r\n" + json.dumps(ROWS, indent=1),
    "objects, printed": "\n".join(json.dumps(row, indent=2) for row in ROWS),
    "columns": json.dumps({name: [row[name] for row in ROWS] for name in ROWS[0]}),
    "columns, printed": json.dumps({n: [row[n] for row in ROWS] for n in ROWS[0]}, indent=1),
    "columns of pandas": json.dumps(
        {n: {str(i): row[n] for i, row in enumerate(ROWS)} for n in ROWS[0]}
    ),
    "rows by number": json.dumps({str(i): row for i, row in enumerate(ROWS)}),
    "names and rows": json.dumps(
        {"columns": list(ROWS[0]), "index": [0, 1], "data": [list(row.values()) for row in ROWS]}
    ),
    "rows beside other things": json.dumps({"version": "1", "schema": {}, "data": ROWS}),
}


@pytest.mark.parametrize("ending", ["json", "jsonl"])
@pytest.mark.parametrize("layout", _LAYOUTS)
def test_every_layout_gives_the_rows_whatever_the_name(write, read, layout, ending):
    found = read(write(f"a.{ending}", _LAYOUTS[layout]))
    assert [(record.text, record.label) for record in found] == [
        (row["text"], row["label"]) for row in ROWS
    ]


def test_a_single_row_with_a_list_is_a_row(write, read):
    path = write("a.jsonl", '{"text": "one", "label": ["a", "b"], "meta": {"id": 1}}')
    assert [record.label for record in read(path)] == [("a", "b")]


@pytest.mark.parametrize("part_characters", [1, 7, 65536])
def test_an_array_is_read_alike_in_parts_of_any_length(write, read, monkeypatch, part_characters):
    monkeypatch.setattr(text_lines, "_PART_CHARACTERS", part_characters)
    rows = [{"text": f'é😀 \\ " {number}', "label": number % 3} for number in range(400)]
    for text in (json.dumps(rows), json.dumps(rows, indent=1, ensure_ascii=False)):
        assert [record.text for record in read(write("a.json", text))] == [r["text"] for r in rows]


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ('[{"text": "a", "label": "x"}, {"text": "b"', "row 2: not valid JSON"),
        ('[{"text": "a", "label": "x"}', "row 2: is cut short"),
        ('[{"text": "a", "label": "x"},]', "row 2: a comma before the end"),
        ('[{"text": "a", "label": "x"} {"text": "b"}]', "row 2: ',' or ']' is missing"),
        ('[{"text": "a", "label": "x"}]\n[1]', "row 2: the array ends, and something follows"),
        ('[{"text": "a", "label": "x"}, 7]', "row 2: received 7; accepted: a JSON object"),
        ('[{"text": "a", "text": "b"}]', "row 1: not valid JSON: the name 'text' occurs more"),
        ('[{"text": "a\nb", "label": "x"}]', "row 1: not valid JSON: Invalid control char"),
        ("[" * 100_000, "row 1: not valid JSON"),
        ("[]", "is empty; accepted: JSON objects"),
        ('{"a": [1, 2], "b": [1]}', r"lengths of lists: 'a' 2, 'b' 1\); accepted: an array"),
        ('{"text": {"0": "a"}, "label": {"1": "x"}}', "is one JSON object"),
    ],
)
def test_what_is_wrong_with_an_array_or_object_is_said(write, content, fault):
    with pytest.raises(UserError, match=rf"a\.json(, |: ).*{fault}|a\.json, {fault}"):
        list(read_records(_CONFIG, write("a.json", content)))


def test_one_object_longer_than_the_limit_is_refused(write, monkeypatch):
    monkeypatch.setattr(json_files, "DOCUMENT_LIMIT", 50)
    path = write("a.json", json.dumps({"text": ["a"] * 20, "label": ["x"] * 20}))
    with pytest.raises(UserError, match=r"one object of more than 50 characters; accepted: an ar"):
        list(read_records(_CONFIG, path))


def test_an_element_longer_than_the_limit_ends_the_reading(write, monkeypatch):
    monkeypatch.setattr(json_values, "DOCUMENT_LIMIT", 100)
    path = write("a.json", json.dumps([{"text": "a" * 200_000, "label": "x"}]))
    with pytest.raises(UserError, match=r"a.json, row 1: has more than 100 characters"):
        list(read_records(_CONFIG, path))


def test_empty_file_is_said_to_be_empty(write, read):
    with pytest.raises(UserError, match=r"a.jsonl: is empty"):
        read(write("a.jsonl", "\n"))


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50, deadline=None
)
@given(
    texts=st.lists(
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")).filter(
            str.strip
        ),
        min_size=1,
        max_size=5,
    ),
    ascii_only=st.booleans(),
)
def test_what_json_writes_is_read_back(tmp_path: Path, texts, ascii_only):
    path = tmp_path / "round.jsonl"
    rows = [json.dumps({"text": text, "label": 0}, ensure_ascii=ascii_only) for text in texts]
    path.write_text("\n".join(rows), encoding="utf-8", newline="")
    assert [record.text for record in read_records(_CONFIG, str(path))] == texts
