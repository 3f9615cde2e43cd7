"""JSON lines, good and bad."""

import json
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tf_finetune.config.sections import DataConfig
from tf_finetune.data.records import Record
from tf_finetune.data.sources import read_records, resolve_columns
from tf_finetune.errors import UserError

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


def test_list_of_labels_is_a_problem_in_a_single_label_task(write, read):
    path = write("a.jsonl", lines({"text": "one", "label": ["a"]}))
    with pytest.raises(UserError, match=r"row 1, column 'label': received \['a'\]"):
        read(path, task="single_label")


def test_regression_targets_are_numbers_or_text_that_holds_one(write, read):
    path = write("a.jsonl", lines(*({"text": "t", "label": y} for y in (1, 2.5, " 3e-1 "))))
    assert [record.label for record in read(path, task="regression")] == [1.0, 2.5, 0.3]


@pytest.mark.parametrize("label", [None, True, "", "nan", "1_0", [1], float("inf"), 10**400])
def test_other_regression_targets_are_problems(write, label):
    path = write("a.jsonl", lines({"text": "one", "label": label}))
    config = _CONFIG.model_copy(update={"task": "regression"})
    with pytest.raises(UserError, match=r"row 1, column 'label': .*accepted: a finite number"):
        list(read_records(config, path))


@pytest.mark.parametrize("label", [None, "", " ", {"a": 1}, float("nan")])
def test_empty_labels_are_problems(write, label):
    path = write("a.jsonl", lines({"text": "one", "label": label}))
    with pytest.raises(UserError, match=r"column 'label': .*accepted: a label that is not empty"):
        list(read_records(_CONFIG, path))


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
        "row 4: is blank",
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


def test_json_array_over_several_lines_is_recognised(write, read):
    path = write("a.jsonl", '[\n{"text": "one",\n"label": "x"}]\n')
    with pytest.raises(UserError, match=r"row 1: not valid JSON.*seems to be one JSON array"):
        read(path)


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
