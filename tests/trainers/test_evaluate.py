"""`evaluate` finds the scores of the run again, and scores other files."""

import csv
import json
import shutil

import pytest

from tf_finetune.config.uses import EVALUATE
from trainers.cli import run_command
from trainers.evaluate import main

pytestmark = pytest.mark.eager


def test_test_split_scores_as_at_the_end_of_training(finished_run, capsys, options_read):
    assert run_command(main, [str(finished_run)]) == 0

    assert set(EVALUATE.names(file=False)) <= options_read  # none is accepted and ignored
    trained = json.loads((finished_run / "metrics.json").read_text())["test"]
    again = json.loads((finished_run / "evaluations" / "test.metrics.json").read_text())["test"]
    assert again.keys() == trained.keys()
    for name, estimate in trained.items():
        assert again[name] == pytest.approx(estimate, abs=1e-6), name
    assert "accuracy" in capsys.readouterr().out


def test_another_file_is_scored_on_its_own(finished_run, tmp_path, options_read):
    path = tmp_path / "new.csv"
    path.write_text("text,label\nthe film was good,pos\nthe film was bad,neg\na dull plot,neg\n")

    assert run_command(main, [str(finished_run), str(path)]) == 0

    assert set(EVALUATE.names(file=True)) <= options_read
    report = json.loads((finished_run / "evaluations" / "new.evaluation.json").read_text())["test"]
    assert sum(map(sum, report["confusion"])) == 3


def test_labels_that_are_probably_wrong_are_listed(finished_run, tmp_path, capsys):
    path = tmp_path / "planted.csv"
    good, bad = ["the film was good,pos"], ["the plot was bad,neg"]
    words = ("very", "a", "and", "but", "fine", "actors", "film", "plot")
    good += [f"good {word} film,pos" for word in words]
    bad += [f"bad {word} plot,neg" for word in words]
    path.write_text("\n".join(["text,label", *good, *bad, "a good good film,neg"]) + "\n")

    assert run_command(main, [str(finished_run), str(path), "--suspects", "1"]) == 0

    said = capsys.readouterr().out
    assert "of 19 labels are suspect" in said
    written = finished_run / "evaluations" / "planted.suspects.csv"
    (one,) = csv.DictReader(written.read_text(encoding="utf-8-sig").splitlines())
    assert list(one)[:4] == ["file", "row", "label", "suggested"]
    row = path.read_text().splitlines()[int(one["row"]) - 1]
    assert (one["file"], f"{one['text']},{one['label']}") == (str(path), row)
    assert one["suggested"] in {"neg", "pos"} - {one["label"]}
    assert float(one["probability_of_label"]) < float(one["probability_of_suggested"])
    assert run_command(main, [str(finished_run), "--suspects", "5"]) == 0
    assert (finished_run / "evaluations" / "train.suspects.csv").is_file()


def test_too_few_examples_to_answer_out_of_fold_are_one_sentence(
    finished_run, tmp_path, command_fails
):
    path = tmp_path / "few.csv"
    path.write_text("text,label\nthe film was good,pos\na good film,pos\n")

    error = command_fails(main, str(finished_run), str(path), "--suspects", "5")

    assert f"{path}: received 2 examples of 1 classes; accepted: with --suspects" in error
    assert "--suspects: received '0'" in command_fails(main, str(finished_run), "--suspects", "0")


def test_unknown_label_is_named_with_its_row(finished_run, tmp_path, command_fails):
    path = tmp_path / "odd.csv"
    path.write_text("text,label\nthe film was good,pos\nthe film was odd,strange\n")

    error = command_fails(main, str(finished_run), str(path))

    assert "odd.csv, row 3: received the label 'strange'" in error
    assert not (finished_run / "evaluations" / "odd.metrics.json").exists()


def test_folder_without_a_run_is_refused(tmp_path, command_fails):
    assert "no run here" in command_fails(main, str(tmp_path))


def test_damaged_model_is_named(finished_run, tmp_path, command_fails):
    run = shutil.copytree(finished_run, tmp_path / "copy")
    weights = run / "model" / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)

    assert f"{weights}: damaged" in command_fails(main, str(run))
