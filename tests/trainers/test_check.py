"""`check` runs its battery on a finished run and ends with 1 where too many answers flip."""

import json

import pytest

from tf_finetune.config.uses import CHECK
from trainers.check import main
from trainers.cli import run_command

pytestmark = pytest.mark.eager

NEW = (
    "text,label,source\nthe film was good,pos,web\nthe film was bad,neg,web\n"
    "a dull plot 12,neg,mail\nFine actors,pos,mail\n"
)


@pytest.fixture
def new(tmp_path):
    path = tmp_path / "new.csv"
    path.write_text(NEW)
    return path


def test_the_test_split_is_checked_and_a_page_written(finished_run, capsys, options_read):
    assert run_command(main, [str(finished_run)]) == 0

    assert set(CHECK.names(file=False)) <= options_read  # none is accepted and ignored
    found = json.loads((finished_run / "checks" / "test.json").read_text())
    assert {"typos", "upper_case", "negation"} <= {one["name"] for one in found["checks"]}
    applied = [one for one in found["checks"] if not one["note"]]
    assert len(applied) >= 4
    for one in applied:
        assert one["applies_to"] <= one["texts"] == found["n"]
        assert one["low"] <= one["share"] <= one["high"]
    by_name = {one["name"]: one for one in found["checks"]}
    assert by_name["upper_case"]["failed"] == 0  # the tokenizer lower-cases
    assert (finished_run / "checks" / "test.html").is_file()
    said = capsys.readouterr().out
    assert "typos" in said and "length in tokens" in said


def test_a_file_with_checks_of_ones_own_and_a_slice(
    finished_run, new, tmp_path, capsys, options_read
):
    checks = tmp_path / "mine.yaml"
    checks.write_text(
        "checks:\n"
        "  typos: null\n"
        "  more_typos: null\n"
        "  wrong: {kind: minimum_function, label: neg, texts: [the film was good]}\n"
        "  right: {kind: minimum_function, label: pos, texts: [the film was good]}\n"
    )

    code = run_command(
        main,
        [str(finished_run), str(new), "--checks", str(checks), "--by", "source"]
        + ["--most-flipped", "0.5"],
    )

    assert set(CHECK.names(file=True)) <= options_read
    found = json.loads((finished_run / "checks" / "new.json").read_text())
    by_name = {one["name"]: one for one in found["checks"]}
    # One of the two answers is wrong, whatever the tiny model says.
    failed = [name for name in ("wrong", "right") if by_name[name]["failed"]]
    assert len(failed) == 1
    assert code == 1 and found["failed"] == failed
    assert "typos" not in by_name
    captured = capsys.readouterr()
    assert f"tf-finetune: the check failed: above 50 % of the texts: {failed[0]}" in captured.err
    assert "Traceback" not in captured.err
    parts = [one for one in found["slices"] if one["column"] == "source"]
    assert {one["name"]: one["n"] for one in parts} == {"web": 2, "mail": 2}


def test_the_same_seed_gives_the_same_and_a_limit_draws(finished_run, new):
    for _ in range(2):
        assert run_command(main, [str(finished_run), str(new), "--limit", "2"]) == 0
        found = json.loads((finished_run / "checks" / "new.json").read_text())
        assert (found["n"], found["of"]) == (2, 4)
    again = json.loads((finished_run / "checks" / "new.json").read_text())
    assert again == found


def test_all_that_is_wrong_with_the_flags_is_told_at_once(finished_run, command_fails, tmp_path):
    checks = tmp_path / "mine.yaml"
    checks.write_text("checks: {a: {kind: odd}}\n")

    error = command_fails(
        main,
        *(str(finished_run), "--most-flipped", "10", "--tolerance", "x", "--limit", "-1"),
        *("--checks", str(checks)),
    )

    assert "--most-flipped: received '10'; accepted: a share from 0 to 1" in error
    assert "--tolerance: received 'x'" in error
    assert "--limit: received '-1'" in error
    assert f"{checks}, line 1: a.kind: received 'odd'" in error


def test_columns_labels_and_tolerances_that_do_not_fit_are_told(
    finished_run, new, command_fails, tmp_path
):
    run = str(finished_run)
    error = command_fails(main, run, str(new), "--by", "colour")
    assert "--by: slices: received 'colour'; accepted: a column of" in error
    assert "'text', 'label', 'source'" in error
    checks = tmp_path / "mine.yaml"
    checks.write_text("checks:\n  a: {kind: minimum_function, label: odd, texts: [a film]}\n")
    error = command_fails(main, run, "--checks", str(checks))
    assert f"{checks}, line 2: a.label: received 'odd'; accepted: the labels" in error
    assert "this model answers with names" in command_fails(main, run, "--tolerance", "1")


def test_how_new_the_texts_of_a_file_are_is_told(finished_run, tiny_csv, capsys, command_fails):
    assert run_command(main, [str(finished_run), str(tiny_csv), "--shift", "--limit", "30"]) == 0

    assert "told from those of training" in capsys.readouterr().out.replace("\n", " ")
    found = json.loads((finished_run / "checks" / f"{tiny_csv.stem}.json").read_text())["shift"]
    assert found["known"] == found["new"] == 30
    assert 0 <= found["low"] <= found["auc"] <= found["high"] <= 1
    error = command_fails(main, str(finished_run), "--shift")
    assert "--shift: received without a FILE" in error
