"""`explain` shows which words decided predictions."""

import io
import json
import sys

import pytest

from trainers.cli import run_command
from trainers.explain import main

pytestmark = [pytest.mark.eager, pytest.mark.usefixtures("keep_model")]

GOOD, BAD = "the film 1 was good and great !", "the plot 2 was very very bad and dull ."


def test_page_and_both_json_forms_say_the_same(finished_run, tmp_path, capsys):
    page, whole, lines = (tmp_path / f"why.{ending}" for ending in ("html", "json", "jsonl"))

    outputs = [word for path in (page, whole, lines) for word in ("--output", str(path))]
    assert run_command(main, [str(finished_run), "--text", GOOD, "--text", BAD, *outputs]) == 0

    found = json.loads(whole.read_text())
    assert found["method"] == "integrated gradients"
    assert found["texts"] == [json.loads(line) for line in lines.read_text().splitlines()]
    assert [item["text"] for item in found["texts"]] == [GOOD, BAD]
    for item in found["texts"]:
        why = item["explanation"]
        assert why["label"] == item["label"]
        added = sum(word["attribution"] for word in why["words"])
        assert added == pytest.approx(why["output"] - why["baseline"], abs=why["gap"] + 1e-6)
    html = page.read_text()
    assert all(word in html for word in ("great", "dull", "Predicted"))
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "2 explained" in captured.err


def test_a_text_in_place_of_a_file_is_explained(finished_run, capsys):
    assert run_command(main, [str(finished_run), GOOD]) == 0

    assert json.loads(capsys.readouterr().out)["text"] == GOOD


def test_lines_of_standard_input_with_a_chosen_label(finished_run, monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{GOOD}\n{BAD}\n"))

    assert run_command(main, [str(finished_run), "-", "--label", "pos", "--limit", "1"]) == 0

    [line] = capsys.readouterr().out.splitlines()
    assert json.loads(line)["text"] == GOOD
    assert json.loads(line)["explanation"]["label"] == "pos"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "nothing to explain"),
        (("--text", GOOD, "--label", "fine"), "--label: received 'fine'; accepted: neg, pos"),
        (("--text", GOOD, "--steps", "0"), "--steps"),
        (("--text", GOOD, "--tolerance", "2"), "--tolerance: received '2'"),
        (("--text", GOOD, "--output", "why.pdf"), "why.pdf"),
        (("--text", GOOD, "--text-pair", BAD), "this model reads single texts"),
        (("new.csv", "--text", GOOD), "beside --text"),
        (("--text", ""), "--text"),
    ],
)
def test_what_cannot_be_explained_is_told(finished_run, command_fails, arguments, said):
    assert said in command_fails(main, str(finished_run), *arguments)


def test_more_texts_than_one_waits_for_need_a_limit(finished_run, command_fails, tmp_path):
    path = tmp_path / "new.csv"
    path.write_text("text\n" + f"{GOOD}\n" * 101)

    error = command_fails(main, str(finished_run), str(path))

    assert "101 texts are more than 100" in error
    assert "--limit N" in error
