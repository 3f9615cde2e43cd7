"""`export` hands a finished run over in every form, or says why not and leaves nothing."""

import json
import shutil

import numpy as np
import pytest
import tensorflow as tf
from huggingface_hub import ModelCard

from tf_finetune.export import graphs
from tf_finetune.export.litert import LiteRtModel, file_name
from tf_finetune.runs.model_folder import check_model_folder
from trainers import export, predict
from trainers.cli import run_command

pytestmark = [pytest.mark.long, pytest.mark.eager]


@pytest.fixture(scope="module")
def exported(finished_run, tmp_path_factory):
    """All forms of the run."""
    root = tmp_path_factory.mktemp("exported") / "out"
    command = [str(finished_run), "--to", "huggingface,savedmodel,litert", "--output", str(root)]
    assert run_command(export.main, command) == 0
    return root


@pytest.fixture
def converted(exported, monkeypatch):
    """Has the files of `exported` for converted ones: the model is the same."""

    def convert(classifier, labels, precisions, texts):
        return {name: (exported / "litert" / file_name(name)).read_bytes() for name in precisions}

    monkeypatch.setattr(graphs, "convert", convert)


def test_there_is_a_folder_for_each_format(exported):
    assert sorted(path.name for path in exported.iterdir()) == [
        "huggingface",
        "litert",
        "savedmodel",
    ]


def test_huggingface_folder_is_the_model_with_a_card(exported, finished_run):
    folder = exported / "huggingface"

    check_model_folder(folder)

    weights = "model.safetensors"
    assert (folder / weights).read_bytes() == (finished_run / "model" / weights).read_bytes()
    scores = json.loads((finished_run / "metrics.json").read_text())["test"]
    card = ModelCard.load(folder / "README.md")
    assert card.data.eval_results[0].metric_value == pytest.approx(scores["accuracy"]["value"])
    assert "freeze.depth=2" in card.text and "data.train=reviews.csv" in card.text


def test_saved_model_gives_the_answers_of_predict(
    exported, finished_run, tmp_path, capsys, written_rounding
):
    texts = ["the film 1 was good and great !", "A DULL plot，", "the plot 2 was bad [SEP] ."]
    path = tmp_path / "texts.jsonl"
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    capsys.readouterr()
    assert run_command(predict.main, [str(finished_run), str(path)]) == 0
    predicted = [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    model = tf.saved_model.load(str(exported / "savedmodel"))
    found = model.signatures["serving_default"](text=tf.constant(texts))

    assert [label.decode() for label in found["label"].numpy()] == [p["label"] for p in predicted]
    probabilities = [list(p["probabilities"].values()) for p in predicted]
    np.testing.assert_allclose(found["probabilities"], probabilities, rtol=0, atol=written_rounding)


def test_record_of_the_saved_model_says_how_it_compares(exported, rounding):
    record = json.loads((exported / "savedmodel" / "assets.extra" / "export.json").read_text())

    assert record["label_names"] == ["neg", "pos"]
    assert record["check"]["largest_logit_difference"] <= rounding
    assert record["check"]["texts_with_other_tokens"] == 0
    assert record["check"]["probes_with_other_tokens"] == 0
    assert record["check"]["probes"] == 5000


def test_table_of_litert_files_holds_every_figure(exported, rounding):
    folder = exported / "litert"
    record = json.loads((folder / "export.json").read_text())
    rows = record["table"]["rows"]

    assert [row["file"] for row in rows] == [
        "model-float32.tflite",
        "model-float16.tflite",
        "model-int8.tflite",
    ]
    for row in rows:
        assert (folder / row["file"]).stat().st_size == row["bytes"]
        assert row["loss"]["low"] <= row["loss"]["loss"] <= row["loss"]["high"]
        assert row["milliseconds"] > 0
    assert rows[0]["loss"]["largest_difference"] <= rounding
    assert (record["max_length"], record["pairs"]) == (32, False)
    assert (folder / "tokenizer.json").is_file()


def test_another_file_can_be_measured_on(finished_run, converted, tmp_path, capsys):
    path = tmp_path / "new.csv"
    path.write_text("text,label\nthe film was good,pos\nthe film was bad,neg\na dull plot,neg\n")
    root = tmp_path / "out"
    command = [str(finished_run), str(path), "--to", "litert", "--output", str(root)]

    assert run_command(export.main, [*command, "--precisions", "float32", "--max-loss", "0"]) == 0

    output = capsys.readouterr().out
    assert "LiteRT on the test split (3 examples)" in output
    assert "float32" in output and "100.00%" in output
    assert [p.name for p in (root / "litert").glob("*.tflite")] == ["model-float32.tflite"]


def test_calibrated_file_is_made_of_the_training_texts(finished_run, tmp_path):
    command = ["--to", "litert", "--precisions", "static-int8", "--output", str(tmp_path / "out")]

    assert run_command(export.main, [str(finished_run), *command]) == 0

    folder = tmp_path / "out" / "litert"
    (row,) = json.loads((folder / "export.json").read_text())["table"]["rows"]
    assert row["bytes"] == (folder / "model-static-int8.tflite").stat().st_size
    assert row["loss"]["same_answers"] > 0.8


def test_files_that_lose_too_much_are_refused(
    finished_run, converted, tmp_path, command_fails, monkeypatch
):
    def turned(model, tokens):
        return -original(model, tokens)

    original = LiteRtModel.__call__
    monkeypatch.setattr(LiteRtModel, "__call__", turned)
    root = tmp_path / "out"
    command = ["--to", "huggingface,litert", "--precisions", "float16", "--output", str(root)]

    error = command_fails(export.main, str(finished_run), *command, "--max-loss", "0.01")

    assert "--max-loss: model-float16.tflite loses " in error
    assert "on the test split; accepted: at most 0.01" in error
    assert list(tmp_path.iterdir()) == []


def test_files_without_a_sensible_answer_are_refused(
    finished_run, converted, tmp_path, command_fails, monkeypatch
):
    def broken(model, split):
        return np.full((len(split), 2), np.nan, np.float32)

    monkeypatch.setattr(LiteRtModel, "split_logits", broken)
    command = ["--to", "litert", "--precisions", "int8", "--output", str(tmp_path / "out")]

    error = command_fails(export.main, str(finished_run), *command)

    assert "model-int8.tflite: its outputs are NaN or infinite" in error
    assert list(tmp_path.iterdir()) == []


def test_default_folder_is_in_the_run_and_is_only_replaced_by_force(
    finished_run, tmp_path, command_fails
):
    run = shutil.copytree(finished_run, tmp_path / "run")
    command = [str(run), "--to", "huggingface"]
    assert run_command(export.main, command) == 0
    card = run / "export" / "huggingface" / "README.md"
    card.write_text("changed")

    error = command_fails(export.main, *command)

    assert f"{run}/export/huggingface: exists already" in error and "--force" in error
    assert card.read_text() == "changed"
    assert run_command(export.main, [*command, "--force"]) == 0
    assert card.read_text() != "changed"


def test_run_that_has_not_finished_is_refused(finished_run, tmp_path, command_fails):
    run = shutil.copytree(finished_run, tmp_path / "run")
    (run / "metrics.json").unlink()

    error = command_fails(export.main, str(run), "--to", "huggingface")

    assert "this run has not finished" in error
    assert not (run / "export").exists()


def test_folder_without_a_run_is_refused(tmp_path, command_fails):
    assert "no run here" in command_fails(export.main, str(tmp_path), "--to", "litert")


def test_missing_data_leave_nothing(finished_run, tmp_path, command_fails):
    root = tmp_path / "out"

    error = command_fails(
        export.main, str(finished_run), "nowhere.csv", "--to", "savedmodel", "--output", str(root)
    )

    assert "nowhere.csv" in error
    assert not root.exists()


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ((), "--to: missing; accepted: huggingface, peft, savedmodel, litert"),
        (("--to", "onnx"), "--to: received 'onnx'; accepted: huggingface"),
        (("--to", "litert", "--max-loss", "much"), "--max-loss: received 'much'"),
        (("--too", "litert"), "--too: unknown flag; nearest: --to"),
    ],
)
def test_mistakes_in_the_flags_are_told(finished_run, command_fails, flags, message):
    assert message in command_fails(export.main, str(finished_run), *flags)
