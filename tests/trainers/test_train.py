"""`train` goes from a file to a finished run, or says what is wrong and leaves nothing behind."""

import json
import math
import os
import signal
from pathlib import Path

import pytest
import tensorflow as tf

from tf_finetune.config.loading import load_config
from tf_finetune.plans.precision import with_precision
from tf_finetune.runs import precision
from tf_finetune.runs.opening import open_model
from tf_finetune.storage.manifests import read_manifest
from tf_finetune.training.checkpoint_callback import SaveCheckpoints
from trainers.cli import run_command
from trainers.train import main

pytestmark = pytest.mark.eager


def contents(folder):
    """Every file below a folder and its bytes."""
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_run_directory_is_complete(finished_run):
    assert {path.name for path in finished_run.iterdir()} >= {
        *("config.yaml", "plan.json", "events", "history.json"),
        *("metrics.json", "evaluation.json", "model"),
    }
    assert not (finished_run / "checkpoints").exists()
    assert [p for p in finished_run.rglob("*") if p.name.startswith(".")] == []


def test_what_was_inferred_is_kept_in_the_configuration(finished_run, tiny_csv, tiny_encoder):
    config = load_config(str(finished_run / "config.yaml"))

    assert (config.data.text_column, config.data.label_column) == ("text", "label")
    assert (config.data.task, config.data.label_names) == ("single_label", ("neg", "pos"))
    assert (config.data.train, config.encoder.name) == (str(tiny_csv), str(tiny_encoder))
    assert (config.run.dir, config.run.overwrite) == (str(finished_run), False)


def test_plan_history_and_metrics_belong_together(finished_run):
    plan = json.loads((finished_run / "plan.json").read_text())
    history = json.loads((finished_run / "history.json").read_text())
    metrics = json.loads((finished_run / "metrics.json").read_text())

    assert (plan["frozen_depth"], plan["num_layers"], len(plan["rows"])) == (2, 3, 57)
    assert history["best_epoch"] == len(history["epochs"]) == 2
    assert list(metrics) == ["test", "validation"]
    last = history["epochs"][-1]
    for name, estimate in metrics["validation"].items():
        assert estimate["value"] == pytest.approx(last[f"val_{name}"], abs=1e-5)


def test_events_hold_steps_scores_plan_and_confusion(finished_run):
    tags = set()
    for path in (finished_run / "events").glob("events*"):
        for record in tf.compat.v1.train.summary_iterator(str(path)):
            tags |= {value.tag for value in record.summary.value}

    assert tags >= {"step/loss", "epoch/loss", "validation/accuracy", "freeze_plan"}
    assert tags >= {"final/test/accuracy", "confusion/test"}


def test_interrupted_run_says_how_to_go_on_and_ends_as_an_undisturbed_one(
    job, finished_run, tmp_path, monkeypatch, capsys
):
    class Stopped(SaveCheckpoints):
        def on_train_batch_end(self, batch, logs=None):
            super().on_train_batch_end(batch, logs)
            os.kill(os.getpid(), signal.SIGTERM)

    folder = tmp_path / "again"
    command = [*job, f"run.dir={folder}"]
    with monkeypatch.context() as patch:
        patch.setattr("tf_finetune.training.fine_tuning.SaveCheckpoints", Stopped)
        assert run_command(main, command) == 143
    said = capsys.readouterr()
    assert "interrupted; step 1 of" in said.out
    assert f"go on with: tf-finetune train --config {folder}/config.yaml" in said.out
    assert said.err == "tf-finetune: interrupted by SIGTERM\n"
    assert (folder / "checkpoints").is_dir()
    assert not (folder / "model").exists()

    assert run_command(main, ["--config", str(folder / "config.yaml")]) == 0

    for name in ("model/model.safetensors", "model/config.json", "metrics.json", "plan.json"):
        assert (folder / name).read_bytes() == (finished_run / name).read_bytes(), name
    assert not (folder / "checkpoints").exists()


def test_auto_precision_is_timed_once_kept_and_leaves_no_trace_in_the_result(
    job, finished_run, tmp_path, monkeypatch, capsys
):
    class Stopped(SaveCheckpoints):
        def on_train_batch_end(self, batch, logs=None):
            super().on_train_batch_end(batch, logs)
            os.kill(os.getpid(), signal.SIGTERM)

    def never(*_):
        raise AssertionError("timed again")

    folder = tmp_path / "auto"
    command = [*job, f"run.dir={folder}", "training.precision=auto"]
    monkeypatch.setattr(precision, "known_precision", lambda chosen: None)
    monkeypatch.setattr(precision, "LEAST_GAIN", math.inf)  # float32, whatever is measured
    with monkeypatch.context() as patch:
        patch.setattr("tf_finetune.training.fine_tuning.SaveCheckpoints", Stopped)
        assert run_command(main, command) == 143
    assert "precision: float32, because a bfloat16 step " in capsys.readouterr().out
    assert "  precision: float32\n" in (folder / "config.yaml").read_text()
    measured = json.loads((folder / "precision.json").read_text())
    assert measured["precision"] == "float32"
    assert measured["seconds"].keys() == {"float32", "mixed_bfloat16"}
    losses = measured["losses"]
    assert losses["float32"] == pytest.approx(
        losses["mixed_bfloat16"], abs=measured["tolerance"], rel=0
    )

    monkeypatch.setattr(precision, "choose_precision", never)
    assert run_command(main, command) == 0

    assert "precision: float32, as this run began with\n" in capsys.readouterr().out
    weights = "model/model.safetensors"
    assert (folder / weights).read_bytes() == (finished_run / weights).read_bytes()
    assert "precision.json" in read_manifest(folder)
    opened = open_model(str(folder), lambda saved: with_precision(saved, "auto"))
    assert opened.config.training.precision == "float32"


def test_finished_run_is_refused_and_left_alone(job, finished_run, command_fails):
    before = contents(finished_run)

    error = command_fails(main, *job, f"run.dir={finished_run}")

    assert f"run.dir: {finished_run} holds a finished run" in error
    assert contents(finished_run) == before


def test_folder_with_other_files_is_refused_and_left_alone(job, tmp_path, command_fails):
    (tmp_path / "notes.txt").write_text("mine")

    error = command_fails(main, *job, f"run.dir={tmp_path}", "run.overwrite=true")

    assert "holds files that no run wrote (notes.txt)" in error
    assert contents(tmp_path) == {Path("notes.txt"): b"mine"}


def test_going_on_with_labels_in_another_order_begins_where_the_model_was(
    job, finished_run, tmp_path, capsys
):
    folder = tmp_path / "a[/b] [red]:smile:c"  # named like markup, and printed as it is
    changed = {"encoder.name": f"{finished_run}/model", "training.epochs": "1"}
    kept = [word for word in job if word.split("=")[0] not in changed]
    command = [*kept, *(f"{name}={value}" for name, value in changed.items())]
    command += ["data.label_names=[pos, neg]", "run.tensorboard=false", f"run.dir={folder}"]

    assert run_command(main, command) == 0

    output = capsys.readouterr().out
    assert f"run directory {folder}\n" in output
    assert f"report       {folder}/report.html\n" in output
    assert "new variables: none" in output
    assert "head: kept pos, neg\n" in output
    before = json.loads((finished_run / "metrics.json").read_text())["test"]
    after = json.loads((folder / "evaluation.json").read_text())["test"]
    untrained = after["baselines"]["before_fine_tuning"]
    assert untrained["loss"] == pytest.approx(before["loss"]["value"], rel=1e-5)
    assert untrained["accuracy"] == before["accuracy"]["value"]


def test_other_options_do_not_disturb_an_unfinished_run(job, tmp_path, command_fails, monkeypatch):
    class Killed(SaveCheckpoints):
        def on_epoch_end(self, epoch, logs=None):
            super().on_epoch_end(epoch, logs)
            raise KeyboardInterrupt

    folder = tmp_path / "run"
    command = [*job, f"run.dir={folder}", "freeze.depth=3", "run.tensorboard=false"]
    command.remove("freeze.depth=2")
    monkeypatch.setattr("tf_finetune.training.fine_tuning.SaveCheckpoints", Killed)
    assert run_command(main, command) == 130
    before = contents(folder)
    assert "events" not in {path.name for path in folder.iterdir()}

    error = command_fails(main, *command, "training.seed=3")

    assert "an unfinished run of another job; it differs in training.seed" in error
    assert contents(folder) == before


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("data.text_column=review", "review"),
        ("freeze.depth=4", "freeze.depth: received 4; accepted: 0 to 3"),
        ("data.max_length=65", "data.max_length: received 65; accepted: up to 64"),
        ("encoder.name=./nowhere", "encoder.name: the folder ./nowhere does not exist"),
        ("training.class_weights={good: 2}", "training.class_weights: received good; accepted"),
        ("training.monitor=pearson", "training.monitor: received 'pearson'"),
        ("training.strategy=gpu", "training.strategy=gpu: TensorFlow sees no GPU"),
    ],
)
def test_wrong_option_leaves_nothing_behind(
    job, tmp_path, command_fails, option, message, monkeypatch
):
    if option == "training.strategy=gpu":
        monkeypatch.setattr(tf.config, "list_logical_devices", lambda kind: [])
    kept = [word for word in job if word.split("=")[0] != option.split("=")[0]]

    error = command_fails(main, *kept, f"run.dir={tmp_path / 'run'}", option)

    assert message in error
    assert list(tmp_path.iterdir()) == []


def test_label_that_training_does_not_know_is_named(job, tmp_path, command_fails):
    test = tmp_path / "test.csv"
    test.write_text("text,label\nthe film was fine,pos\nthe plot was odd,weird\n")

    error = command_fails(main, *job, f"data.test={test}", f"run.dir={tmp_path / 'run'}")

    assert "test.csv, row 3: received the label 'weird'; accepted: " in error
    assert not (tmp_path / "run").exists()


def test_checkpoint_that_does_not_fit_leaves_nothing_behind(
    job, make_encoder, tmp_path, command_fails
):
    encoder = make_encoder(tmp_path / "encoder", lambda t: {n: t[n] for n in t if "query" not in n})
    job = [word for word in job if not word.startswith("encoder.name")]

    error = command_fails(main, *job, f"encoder.name={encoder}", f"run.dir={tmp_path / 'run'}")

    assert "tensor bert.encoder.layer.0.attention.self.query.weight is missing" in error
    assert not (tmp_path / "run").exists()


def test_finished_run_is_replaced_when_that_is_asked_for(job, tmp_path, monkeypatch):
    folder = tmp_path / "run"
    folder.mkdir()
    for name in ("config.yaml", "metrics.json", "evaluation.json"):
        (folder / name).write_text("{}")
    (folder / "checkpoints").mkdir()

    def stop(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("tf_finetune.jobs.training_run.fine_tune", stop)

    assert run_command(main, [*job, f"run.dir={folder}", "run.overwrite=true"]) == 130

    assert {path.name for path in folder.iterdir()} == {"config.yaml", "plan.json", "events"}
    assert load_config(str(folder / "config.yaml")).run.overwrite is False
