"""`profile` scores a linear probe at every depth, for each kind of label."""

import json
import re

import pytest

from tests.task_files import write_task_file
from tf_finetune.config.uses import PROFILE
from trainers.cli import run_command
from trainers.profile import main

pytestmark = pytest.mark.eager


def probes(tmp_path):
    content = json.loads((tmp_path / "profile.json").read_text())
    return content["metric"], content["probes"]


def test_labels_that_a_word_tells_are_readable_at_every_depth(job, tmp_path, capsys, options_read):
    # The word embeddings of "good" and "bad" are apart, and the mean keeps them.
    assert run_command(main, [*job, f"--output={tmp_path / 'profile.json'}"]) == 0

    assert set(PROFILE.names()) <= options_read  # none is accepted and ignored
    metric, found = probes(tmp_path)
    assert metric == "accuracy"
    assert [probe["depth"] for probe in found] == [0, 1, 2, 3]
    assert found[0]["score"] == 1.0
    assert found[0]["standard_error"] == 0.0
    shown = capsys.readouterr().out
    assert "A linear probe at each depth" in shown
    assert "can do better than its probe" in shown


@pytest.mark.parametrize(
    ("rows", "options", "metric"),
    [
        ([("good film", "a;b"), ("bad film", "b;c")], ["data.label_separator=;"], "micro_f1"),
        ([("good film", "1.5"), ("bad film", "-0.5")], ["data.task=regression"], "spearman"),
        ([("good film", "x"), ("bad film", "y"), ("dull plot", "z")], [], "accuracy"),
    ],
)
def test_every_task_has_a_probe(job, tmp_path, rows, options, metric):
    lines = [f"{text} {'very ' * (n % 5)}{n},{label}" for n in range(20) for text, label in rows]
    file = tmp_path / "data.csv"
    file.write_text("text,label\n" + "\n".join(lines) + "\n")
    arguments = [str(file), *job[1:], *options, f"--output={tmp_path / 'profile.json'}"]

    assert run_command(main, arguments) == 0

    name, found = probes(tmp_path)
    assert name == metric
    assert found[0]["score"] > 0.7


@pytest.mark.parametrize(
    ("task", "metric", "least"),
    [("token_classification", "strict_f1", 0.9), ("multiple_choice", "accuracy", 0.0)],
)
def test_words_and_choices_are_probed_by_what_is_read_of_them(job, tmp_path, task, metric, least):
    options = write_task_file(task, tmp_path)
    longest = f"data.max_length={options.pop('max_length')}"
    given = [f"data.{name}={value}" for name, value in options.items()]
    rest = [one for one in job[1:] if "max_length" not in one and "fraction" not in one]
    parts = ["data.validation_fraction=0.25", "data.test_fraction=0"]
    output = f"--output={tmp_path / 'profile.json'}"

    assert run_command(main, [*given, *rest, longest, *parts, output]) == 0

    name, found = probes(tmp_path)
    assert name == metric
    # That a word is a film, its own embedding says.
    assert len(found) == 4 and found[0]["score"] >= least


def test_without_validation_examples_it_says_what_is_missing(job, command_fails):
    others = [argument for argument in job if "validation_fraction" not in argument]

    message = command_fails(main, *others, "data.validation_fraction=0")

    assert "data.validation_fraction: received 0 and no data.validation" in message


def test_of_many_examples_a_sample_is_probed_and_that_is_said(job, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("tf_finetune.evaluation.depth_profile.MOST_SUMMARIES", 10)

    assert run_command(main, [*job, f"--output={tmp_path / 'profile.json'}"]) == 0

    assert re.search(r"10 of \d\d train examples are used", capsys.readouterr().out)
    assert len(probes(tmp_path)[1]) == 4
