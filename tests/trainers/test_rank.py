"""`rank` says which texts to label next, and goes on after they are labelled."""

import csv
import io
import sys

import numpy as np
import pytest

from tf_finetune.runs.opening import open_model
from tf_finetune.sources.records import Record
from trainers.cli import run_command
from trainers.rank import main

pytestmark = [pytest.mark.eager, pytest.mark.usefixtures("keep_model")]

ADJECTIVES = ("good", "bad", "great", "dull", "fine", "poor")
TEXTS = [f"the {noun} is {word} !" for noun in ("film", "plot") for word in ADJECTIVES]


@pytest.fixture
def texts(tmp_path):
    """Twelve different unlabelled texts in a column with others, one of them twice."""
    path = tmp_path / "new.csv"
    rows = [f"{number},{text}" for number, text in enumerate([*TEXTS, TEXTS[0]])]
    path.write_text("\n".join(["number,text", *rows]) + "\n")
    return path


def rows_of(content):
    return list(csv.DictReader(io.StringIO(content.removeprefix("\ufeff"))))


def ranked(run, texts, *options):
    """The rows of a file that is written."""
    target = texts.with_name("next.csv")
    assert run_command(main, [str(run), str(texts), *options, "--output", str(target)]) == 0
    return rows_of(target.read_text(encoding="utf-8"))


def test_the_least_sure_texts_come_first_with_the_reason(finished_run, texts, capsys):
    found = ranked(finished_run, texts, "--count", "12")

    assert sorted(row["text"] for row in found) == sorted(TEXTS)  # each once
    scores = [float(row["score"]) for row in found]
    assert scores == sorted(scores, reverse=True)
    assert {row["predicted"] for row in found} <= {"neg", "pos"}
    assert all(row["reason"].startswith("unsure between ") for row in found)
    # The row is the line of the file: its header is the first.
    assert all(TEXTS[int(row["row"]) - 2] == row["text"] for row in found)
    assert "next.csv: 12 texts to label" in capsys.readouterr().err


def test_a_second_call_goes_on_after_what_is_labelled(finished_run, texts, capsys):
    every = [row["text"] for row in ranked(finished_run, texts, "--count", "12")]
    first = ranked(finished_run, texts, "--count", "5")
    labelled = texts.with_name("labelled.csv")
    (texts.with_name("next.csv")).rename(labelled)

    second = ranked(finished_run, texts, "--count", "4", "--labelled", str(labelled))

    assert [row["text"] for row in first] == every[:5]
    assert [row["text"] for row in second] == every[5:9]


def test_the_run_s_own_examples_are_left_out(finished_run, tiny_csv, texts, command_fails):
    error = command_fails(main, str(finished_run), str(tiny_csv), "--count", "1")
    assert f"{tiny_csv} holds 0 different texts that are not labelled yet" in error

    whole = ranked(finished_run, tiny_csv, "--count", "3", "data.train=null")
    assert len(whole) == 3


def test_by_margin_the_order_is_that_of_entropy_for_two_classes(finished_run, texts):
    orders = [
        [row["text"] for row in ranked(finished_run, texts, "--count", "12", "--by", by)]
        for by in ("entropy", "margin")
    ]
    assert orders[0] == orders[1]


def test_balanced_gives_as_many_of_each_predicted_class(finished_run, texts):
    every = [row["predicted"] for row in ranked(finished_run, texts, "--count", "12")]
    rarest = min(every.count("neg"), every.count("pos"))
    assert rarest

    found = ranked(finished_run, texts, "--count", str(2 * rarest), "--balanced")

    assert [row["predicted"] for row in found].count("neg") == rarest


def test_coverage_gives_texts_that_stand_for_others(finished_run, texts):
    found = ranked(finished_run, texts, "--count", "3", "--by", "coverage")

    standing = [int(row["reason"].split()[2]) for row in found]
    assert sum(standing) == 12 and len({row["text"] for row in found}) == 3
    assert 0 < sum(float(row["score"]) for row in found) <= 1.000002
    assert found == ranked(finished_run, texts, "--count", "3", "--by", "coverage")


def test_lines_of_standard_input_and_rows_on_standard_output(finished_run, monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", io.StringIO("\n".join(TEXTS[:4])))

    assert run_command(main, [str(finished_run), "-", "--count", "2"]) == 0

    assert len(rows_of(capsys.readouterr().out)) == 2


def test_a_pipe_with_too_few_texts_is_told_at_its_end(finished_run, monkeypatch, command_fails):
    monkeypatch.setattr(sys, "stdin", io.StringIO("\n".join(TEXTS[:4])))

    error = command_fails(main, str(finished_run), "-", "--count", "9")

    assert "received 9, but standard input holds 4 different texts" in error


def test_other_columns_are_told(finished_run, tmp_path, command_fails):
    path = tmp_path / "other.csv"
    path.write_text("number,review\n1,a film\n")

    error = command_fails(main, str(finished_run), str(path), "--count", "1")

    assert "data.text_column" in error and "review" in error
    option = "data.text_column=review"
    (row,) = ranked(finished_run, path, "--count", "1", option, "data.train=null")
    assert row["review"] == "a film"


def test_the_head_makes_the_model_s_logits_of_what_it_reads(finished_run):
    (member,) = open_model(str(finished_run)).load().members
    records = [Record(number, text, None, None) for number, text in enumerate(TEXTS)]

    vectors = member.vectors_of(records, batch_size=5)

    logits = member.classifier.head_logits(vectors).numpy()
    np.testing.assert_allclose(logits, member.logits_of(records, batch_size=4), atol=1e-5)
