"""`search` from the command line to the saved model, and what interrupts it on the way."""

import io
import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf
from rich.console import Console

from tf_finetune.config.loading import load_config
from tf_finetune.errors import DiskFullError, UserError
from tf_finetune.results.trial import Cell, TrialResult
from tf_finetune.searches.final_training import train_chosen
from tf_finetune.searches.running.directory import SearchDirectory
from tf_finetune.searches.running.records import TrialRecord
from tf_finetune.searches.running.runner import TrialRunner
from tf_finetune.searches.running.trial_request import TrialRequest
from tf_finetune.training import pipeline
from tf_finetune.training.bad_numbers import NonFiniteError
from tf_finetune.training.checkpoints import RunCheckpoints
from tf_finetune.training.step import TrainingStep
from tf_finetune.training.strategy import build_strategy
from trainers import predict, search
from trainers.cli import EXIT_USER_ERROR, run_command

pytestmark = [pytest.mark.long, pytest.mark.eager]

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def arguments(tiny_job):
    """Arguments of a search of 2 depths and 2 rates, without its folder."""
    return [
        *tiny_job,
        "data.max_length=32",
        "training.epochs=2",
        "training.batch_size=16",
        "search.oracle=grid",
        "search.depths=1,3",
        "search.learning_rates=[1e-3, 1e-2]",
        "search.seeds=[0]",
        "search.widen_edges=false",
        "search.first_answer=false",
        "evaluation.bootstrap_resamples=100",
        "evaluation.explained_mistakes=0",
    ]


@pytest.fixture(scope="module")
def finished(arguments, tmp_path_factory):
    """Folder of a search that nobody disturbed."""
    folder = tmp_path_factory.mktemp("searches") / "finished"
    assert search.main([*arguments, f"run.dir={folder}"]) == 0
    return folder


def table(folder):
    """Score of each trial of a search, by what was asked for."""
    lines = (folder / "journal.jsonl").read_text().splitlines()
    records = [json.loads(line)["record"] for line in lines[1:]]
    found = {json.dumps(r["request"], sort_keys=True): r["result"]["metrics"] for r in records}
    assert len(found) == len(records), "a trial was run twice"
    return found


def wait_for_trials(folder, count, process):
    """Waits until so many trials are in the journal."""
    journal = folder / "journal.jsonl"
    while not journal.exists() or journal.read_text().count("\n") <= count:
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.02)


def test_search_leaves_a_model_an_answer_and_every_number(finished):
    outcome = json.loads((finished / "search.json").read_text())

    assert len(outcome["trials"]) == 4
    assert outcome["recommendation"]["num_trials"] == 4
    assert outcome["answer"].startswith(("Freeze", "Train"))
    assert outcome["chosen"]["seed"] == 0
    assert "test" in outcome["chosen"]["scores"]
    assert {p.name for p in (finished / "trials").iterdir() if p.is_dir()} == {
        f"depth{depth}-lr{rate}-seed0" for depth in (1, 3) for rate in ("1e-3", "0.01")
    }
    for trial in outcome["trials"]:
        folder = finished / "trials" / trial["folder"]
        assert sorted(p.name for p in folder.iterdir()) == ["events", "validation.npz"]
        assert trial["result"]["peak_memory_bytes"] > 1e8
        assert trial["result"]["seconds_per_epoch"] > 0
        assert [entry["val_accuracy"] for entry in trial["history"]]
    assert not (finished / "checkpoints").exists()
    for name in ("metrics.json", "report.html", "report.json", "plan.json", "events"):
        assert (finished / name).exists()


def test_chosen_cell_is_a_configuration_for_train(finished):
    outcome = json.loads((finished / "search.json").read_text())

    config = load_config(finished / "chosen.yaml")

    assert config.freeze.depth == outcome["chosen"]["cell"]["frozen_depth"]
    assert config.training.learning_rate == outcome["chosen"]["cell"]["learning_rate"]
    assert config.run.dir is None


def test_saved_model_predicts(finished, tmp_path):
    texts = tmp_path / "texts.txt"
    texts.write_text("the film was good and great\n")

    assert predict.main([str(finished), str(texts), "--output", str(tmp_path / "out.jsonl")]) == 0
    assert json.loads((tmp_path / "out.jsonl").read_text().splitlines()[0])


def test_finished_search_is_not_run_again_but_may_be_extended(finished, arguments):
    with pytest.raises(UserError, match="holds a finished search"):
        search.main([*arguments, f"run.dir={finished}"])
    assert (finished / "metrics.json").exists()


def test_journal_of_other_data_is_refused_and_kept(finished, arguments, tmp_path):
    other = tmp_path / "other.csv"
    other.write_text(Path(arguments[0]).read_text() + "the plot was fine,pos\n")
    before = (finished / "journal.jsonl").read_bytes()

    with pytest.raises(UserError, match="belongs to another search: data.training examples"):
        search.main([str(other), *arguments[1:], f"run.dir={finished}"])
    assert (finished / "journal.jsonl").read_bytes() == before


def test_folder_with_other_files_is_refused(arguments, tmp_path):
    (tmp_path / "thesis.tex").write_text("x")

    with pytest.raises(UserError, match=r"files that no search wrote \(thesis.tex\)"):
        search.main([*arguments, f"run.dir={tmp_path}", "run.overwrite=true"])
    assert (tmp_path / "thesis.tex").exists()


def test_wrong_space_is_told_before_anything_is_written(arguments, tmp_path, capsys):
    others = [a for a in arguments if not a.startswith("search.depths")]
    code = run_command(search.main, [*others, "search.depths=0,7", f"run.dir={tmp_path}/x"])

    assert code == EXIT_USER_ERROR
    assert "search.depths: received 0,7; accepted: 0 to 3" in capsys.readouterr().err
    assert not (tmp_path / "x").exists()


def test_strategy_of_several_processes_is_refused_before_anything_is_written(
    arguments, tmp_path, capsys
):
    options = ["training.strategy=multi_worker", "cache.mode=off", f"run.dir={tmp_path / 'one'}"]

    code = run_command(search.main, [*arguments, *options])

    assert code == EXIT_USER_ERROR
    assert "training.strategy: received multi_worker for a search" in capsys.readouterr().err
    assert not any(tmp_path.iterdir())


def test_time_budget_too_short_for_one_trial_is_told(arguments, tmp_path):
    with pytest.raises(UserError, match="1s is too short for a single trial of 10000 epochs; one"):
        search.main(
            [
                *(a for a in arguments if not a.startswith("training.epochs")),
                "training.epochs=10000",
                "search.time_budget=1s",
                f"run.dir={tmp_path}/run",
            ]
        )


def test_interrupted_workers_leave_a_search_that_goes_on_to_the_same_table(
    finished, arguments, forked_python, tmp_path
):
    folder = tmp_path / "run"
    # One depth, as a model is built for each; of seeds more than workers have soon tried.
    other = ("search.depths", "search.seeds")
    asked = [word for word in arguments if not word.startswith(other)]
    asked += ["search.depths=3", "search.seeds=[0, 1, 2, 3]", f"run.dir={folder}"]
    process = subprocess.Popen(
        [forked_python, "-m", "trainers.search", *asked, "search.workers=2"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    wait_for_trials(folder, 1, process)
    # Held, so that it cannot finish while the second one is refused.
    process.send_signal(signal.SIGTSTP)
    with pytest.raises(UserError, match=r"is in use by process \d+ on"):
        search.main(asked)
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGCONT)
    output = process.communicate()[0]
    assert process.returncode == 130
    assert (
        f"go on with: {sys.executable} -m trainers.search --config {folder}/config.yaml" in output
    )
    assert {p.name for p in (folder / "workers").iterdir()} == {"worker0.log", "worker1.log"}
    assert len(table(folder)) < 8
    assert "the best so far is trained and reported" in output
    assert json.loads((folder / "search.json").read_text())["interrupted"] is True
    assert (folder / "model" / "model.safetensors").exists()

    again = ["--config", str(folder / "config.yaml"), "search.workers=1"]
    assert search.main(again) == 0
    found, expected = table(folder), table(finished)
    assert len(found) == 8
    assert json.loads((folder / "search.json").read_text())["interrupted"] is False
    both = found.keys() & expected.keys()
    assert len(both) == 2
    for trial in both:
        # Workers have other numbers of threads, which add up in another order.
        assert found[trial] == pytest.approx(expected[trial], abs=1e-4)


@pytest.fixture
def make_runner(arguments, tmp_path):
    """Builds a runner for trials of the tiny encoder in a folder of their own."""
    from tf_finetune.data.loading import load_splits
    from tf_finetune.encoders.locating import resolve_encoder
    from tf_finetune.encoders.tokenizers import load_tokenizer

    options = [f"data.train={arguments[0]}", *arguments[1:], "search.median_stopping=true"]
    config = load_config(None, options)
    files = resolve_encoder(config.encoder.name)
    splits, _ = load_splits(config.data, load_tokenizer(files))
    directory = SearchDirectory(tmp_path)
    directory.trials.mkdir()

    def make(*changes, **more):
        changed = load_config(None, [*options, *changes])
        return TrialRunner(files, splits, changed, build_strategy("cpu"), directory, **more)

    return make


@pytest.fixture
def runner(make_runner):
    return make_runner()


@pytest.mark.parametrize(
    ("stage", "others_score", "epochs"),
    [("explore", 1.1, 1), ("explore", -0.1, 2), ("repeat", 1.1, 2)],
    ids=["others are better", "others are worse", "repeated with a seed"],
)
def test_median_stopping_gives_up_what_is_worse_than_others_at_its_depth(
    make_runner, stage, others_score, epochs
):
    other = TrialRecord(
        TrialRequest(Cell(3, 1e-3), 0, 2),
        "explore",
        TrialResult(
            Cell(3, 1e-3), 0, "completed", score=1.0, trainable_parameters=1, seconds_per_epoch=1.0
        ),
        1.0,
        ({"val_accuracy": others_score}, {"val_accuracy": others_score}),
        "folder",
    )
    runner = make_runner(records=lambda: [other])

    record = runner.run(TrialRequest(Cell(3, 1e-2), 0, 2), stage)

    assert (len(record.history), record.result.epochs) == (epochs, epochs)
    assert record.result.given_up == (epochs == 1) != record.is_whole(2)
    assert TrialResult.from_dict(record.result.to_dict()) == record.result


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (NonFiniteError("the loss became nan in epoch 1", "a hint"), "the loss became nan"),
        (
            tf.errors.ResourceExhaustedError(None, None, "OOM when\nallocating"),
            "out of memory: OOM",
        ),
        (MemoryError(), "out of memory"),
    ],
)
def test_trial_that_diverges_or_has_no_memory_fails_with_its_reason(
    runner, monkeypatch, error, reason
):
    def fail(*args, **kwargs):
        raise error

    monkeypatch.setattr("tf_finetune.searches.running.runner.train_rounds", fail)
    record = runner.run(TrialRequest(Cell(3, 1e-2), 0, 2), "explore")

    assert record.result.status == "failed"
    assert record.result.reason.startswith(reason)
    assert record.predictions_sha256 is None


def test_search_goes_on_after_a_trial_with_bad_numbers(runner, monkeypatch):
    real = pipeline.global_batch

    def without_weight(*arguments, **options):
        batch = real(*arguments, **options)
        return batch._replace(whole=batch.whole._replace(weight_sum=np.float32("nan")))

    with monkeypatch.context() as patch:
        patch.setattr(pipeline, "global_batch", without_weight)
        failed = runner.run(TrialRequest(Cell(3, 1e-2), 0, 1), "explore")

    after = runner.run(TrialRequest(Cell(3, 1e-2), 1, 1), "explore")

    assert failed.result.status == "failed"
    assert failed.result.reason.startswith("the loss became nan in epoch 1 (step 1; ")
    assert after.is_completed


def test_trial_without_memory_is_marked_and_computed_in_smaller_pieces(runner, monkeypatch):
    real = TrainingStep.piece_gradients

    def piece_gradients(self, piece):
        if self.micro_batches < 2:
            raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating")
        return real(self, piece)

    monkeypatch.setattr(TrainingStep, "piece_gradients", piece_gradients)
    record = runner.run(TrialRequest(Cell(3, 1e-2), 0, 1), "explore")

    assert record.is_completed
    assert record.result.micro_batches == 2
    assert TrialResult.from_dict(record.result.to_dict()) == record.result


def test_error_of_the_disk_is_no_trials_failure(runner, monkeypatch):
    def fail(*args, **kwargs):
        raise UserError("the disk is full")

    monkeypatch.setattr("tf_finetune.searches.running.runner.train_rounds", fail)
    with pytest.raises(UserError, match="the disk is full"):
        runner.run(TrialRequest(Cell(3, 1e-2), 0, 2), "explore")


def test_search_gives_up_its_cache_before_a_full_disk_ends_it(make_runner, monkeypatch, tmp_path):
    lines = []
    folder = tmp_path / "states"
    runner = make_runner("cache.mode=disk", f"cache.dir={folder}", note=lines.append)
    real, room = RunCheckpoints.save, []

    def save(self, *arguments):
        if any(path.is_dir() for path in folder.iterdir()):
            room.append("none")
            raise DiskFullError("checkpoints: the disk is full")
        room.append("some")
        return real(self, *arguments)

    monkeypatch.setattr(RunCheckpoints, "save", save)
    first = runner.run(TrialRequest(Cell(3, 1e-2), 0, 1), "explore")
    second = runner.run(TrialRequest(Cell(3, 1e-2), 1, 1), "explore")

    assert first.is_completed and second.is_completed
    assert room.count("none") == 1
    assert [line for line in lines if "gives up its files" in line] == [
        "checkpoints: the disk is full; the prefix cache gives up its files, and the trial goes on"
    ]
    assert not [path for path in folder.iterdir() if path.is_dir()]


def test_what_became_of_the_cache_is_noted_once_and_is_in_the_price_of_every_trial(
    make_runner, tmp_path
):
    lines, notes, shares = [], [], []
    options = ("cache.mode=disk", f"cache.dir={tmp_path / 'states'}")
    runner = make_runner(*options, report=lines.append, note=notes.append)

    for seed in (0, 1):
        record = runner.run(TrialRequest(Cell(3, 1e-2), seed, 1), "explore")
        assert record.is_completed
        training = len(runner._splits.train) / record.result.examples_per_second
        shares.append(record.result.seconds_per_epoch - training)

    # It was filled once; each trial is priced as if it had been filled for its one epoch.
    assert shares[0] > 0.0
    assert shares[0] == pytest.approx(shares[1])
    assert [
        line for line in notes if line.startswith("prefix cache at depth 3: as float32 on disk")
    ]
    assert len([line for line in notes if "prefix cache at depth" in line]) == 1
    assert not [line for line in lines if "prefix cache" in line]


@pytest.mark.parametrize(("by_workers", "on_validation"), [(False, "true"), (True, "false")])
def test_final_training_gives_up_the_cache_before_a_full_disk_ends_it(
    make_runner, monkeypatch, tmp_path, by_workers, on_validation
):
    folder, printed, refused = tmp_path / "states", io.StringIO(), []
    runner = make_runner(
        "cache.mode=disk",
        f"cache.dir={folder}",
        f"search.train_on_validation={on_validation}",
        note=lambda line: print(line, file=printed),
    )
    real = RunCheckpoints.save

    def save(self, *arguments):
        if any(path.is_dir() for path in folder.iterdir()):
            refused.append(True)
            raise DiskFullError("checkpoints: the disk is full")
        return real(self, *arguments)

    monkeypatch.setattr(RunCheckpoints, "save", save)
    job = SimpleNamespace(
        config=runner._config,
        files=runner._files,
        splits=runner._splits,
        directory=runner._directory,
        space=SimpleNamespace(seeds=(0,)),
    )
    console = Console(file=printed, width=500)
    final = train_chosen(job, Cell(3, 1e-2), [], console, None if by_workers else runner)

    assert len(final.run.history) == final.config.training.epochs
    assert refused == [True]
    assert printed.getvalue().count("gives up its files") == 1
    assert not [path for path in folder.iterdir() if path.is_dir()]


def test_full_disk_without_a_cache_to_give_up_ends_the_search(runner, monkeypatch):
    def save(self, *arguments):
        raise DiskFullError("checkpoints: the disk is full")

    monkeypatch.setattr(RunCheckpoints, "save", save)
    with pytest.raises(DiskFullError):
        runner.run(TrialRequest(Cell(3, 1e-2), 1, 1), "explore")


def test_the_first_answer_is_searched_answered_and_trained_again(tiny_job, tmp_path, capsys):
    folder = tmp_path / "solved"
    options = [
        *(*tiny_job, "data.max_length=32", "encoder.pooling=mean", "search.depths=3"),
        *("search.ensemble=true", "evaluation.bootstrap_resamples=100"),
        "evaluation.explained_mistakes=0",  # tracing gradients takes seconds
    ]

    assert search.main([*options, f"run.dir={folder}"]) == 0

    told = capsys.readouterr().out
    outcome = json.loads((folder / "search.json").read_text())
    trials = {trial["folder"]: trial for trial in outcome["trials"]}
    assert set(trials) == {
        *("depth1-exact-layers=1-seed0", "depth1-exact-layers=1-pooling=first_state-seed0"),
        *("depth2-exact-layers=2-seed0", "depth2-exact-layers=2-pooling=first_state-seed0"),
        *("depth3-exact-seed0", "depth3-exact-pooling=first_state-seed0"),
    }
    assert {trial["stage"] for trial in trials.values()} == {"first"}
    assert all(trial["result"]["cell"]["learning_rate"] is None for trial in trials.values())
    assert re.search(r"first answer after \d+ s: Use the first (2 )?of 3 layers as", told)
    assert "of the work of all 3 layers" in told
    assert "depth 3: the head alone, solved exactly, the same for every seed" in told
    assert "There is no ensemble: the head is solved, the same for every seed." in told
    page = (folder / "report.html").read_text()
    assert "exact" in page
    # Heads alone are compared on the training examples too, and the first answer is the last.
    answer = outcome["recommendation"]["answer"]
    assert "out-of-fold accuracy" in answer and ", 6 folds)" in answer
    assert f": {answer}" in told
    counts = {split["name"]: split["rows"] for split in outcome["data"]["splits"]}
    both = counts["train"] + counts["validation"]
    assert outcome["recommendation"]["num_examples"] == both
    assert f"on {both} examples: the validation split and" in page
    # The final model is that of the recommended trial.
    chosen = load_config(folder / "chosen.yaml")
    layers, pooling = chosen.encoder.layers, chosen.encoder.pooling
    assert (chosen.training.solver, chosen.freeze.depth) == ("exact", layers)
    config = json.loads((folder / "model/config.json").read_text())
    assert (config["num_hidden_layers"], config["text_pooling"]) == (layers, pooling)
    cell = outcome["chosen"]["cell"]
    (trial,) = (trial for trial in trials.values() if trial["request"]["cell"] == cell)
    for name in ("penalty", "loss", "out_of_fold_loss", "val_accuracy", "val_loss"):
        again = outcome["chosen"]["epochs"][-1][name]
        assert again == pytest.approx(trial["history"][-1][name], rel=1e-3), name
    texts = tmp_path / "texts.txt"
    texts.write_text("the film was good and great\n")
    assert predict.main([str(folder), str(texts), "--output", str(tmp_path / "out.jsonl")]) == 0
