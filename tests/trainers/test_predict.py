"""`predict` streams texts in and one JSON object a line out."""

import io
import json
import sys

import numpy as np
import pytest

from tf_finetune.data import LabelSpace
from trainers.cli import run_command
from trainers.predict import answers, main

TEXTS = ["the film 1 was good and great !", "", "the plot 2 was very very bad and dull ."]


@pytest.fixture
def lines(finished_run, capsys):
    """Run the command and read its lines."""

    def predict(*argv):
        assert run_command(main, [str(finished_run), *argv]) == 0
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return predict


def test_texts_of_a_file_in_order(lines, tmp_path):
    path = tmp_path / "new.csv"
    path.write_text("text\n" + "\n".join(text for text in TEXTS if text) + "\n")

    found = lines(str(path))

    assert [line["text"] for line in found] == [TEXTS[0], TEXTS[2]]
    for line in found:
        assert set(line) == {"text", "label", "probabilities"}
        assert line["label"] == max(line["probabilities"], key=line["probabilities"].get)
        assert sum(line["probabilities"].values()) == pytest.approx(1, abs=1e-5)


def test_lines_of_standard_input(lines, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{TEXTS[0]}\n{TEXTS[2]}\n"))

    assert [line["text"] for line in lines("-")] == [TEXTS[0], TEXTS[2]]


def test_answer_does_not_depend_on_the_batch(lines, monkeypatch):
    text = "\n".join([TEXTS[0], TEXTS[2]] * 3) + "\n"
    found = []
    for size in (1, 4, 64):
        monkeypatch.setattr(sys, "stdin", io.StringIO(text))
        found.append(lines("-", f"evaluation.batch_size={size}"))

    for other in found[1:]:
        for line, expected in zip(other, found[0], strict=True):
            assert line["probabilities"] == pytest.approx(expected["probabilities"], abs=2e-6)


def test_output_file_appears_complete(lines, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{TEXTS[0]}\n"))
    path = tmp_path / "answers.jsonl"

    assert lines("-", "--output", str(path)) == []

    assert json.loads(path.read_text())["text"] == TEXTS[0]
    assert [p.name for p in tmp_path.iterdir()] == ["answers.jsonl"]


def test_output_that_cannot_be_written_is_named(finished_run, tmp_path, command_fails, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO("text\n"))

    error = command_fails(main, str(finished_run), "-", "--output", str(tmp_path / "no" / "x"))

    assert "--output: " in error and "cannot be written" in error


def test_missing_file_is_named(finished_run, command_fails):
    assert "nowhere.csv" in command_fails(main, str(finished_run), "nowhere.csv")


def test_answer_of_each_task():
    single = LabelSpace("single_label", ("neg", "pos"))
    several = LabelSpace("multi_label", ("dull", "good"))
    number = LabelSpace("regression")
    ln3 = np.log(3)

    assert list(answers(single, np.array([[0, ln3]]))) == [
        {"label": "pos", "probabilities": {"neg": 0.25, "pos": 0.75}}
    ]
    assert list(answers(several, np.array([[-ln3, ln3], [-1.0, -1.0]])))[0] == {
        "labels": ["good"],
        "probabilities": {"dull": 0.25, "good": 0.75},
    }
    assert list(answers(number, np.array([[1.5]]))) == [{"value": 1.5}]
