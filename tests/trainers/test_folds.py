"""`data.folds` from the command line: trained, searched, gone on with, and asked about."""

import json

import numpy as np
import pytest

from tf_finetune.searches.running.records import load_predictions
from tf_finetune.training import rounds
from trainers import evaluate, plan, profile, search, train, validate
from trainers.cli import run_command

pytestmark = pytest.mark.eager

FOLDS = 3


@pytest.fixture(scope="module")
def job(tiny_job):
    """Arguments of a job of 60 training examples in three folds, but for its folder."""
    return [
        *tiny_job,
        "data.max_length=32",
        f"data.folds={FOLDS}",
        "data.test_fraction=0",
        "freeze.depth=2",
        "training.epochs=2",
        "training.early_stopping_patience=1",
        "training.batch_size=32",
        "training.learning_rate=0.01",
        "evaluation.bootstrap_resamples=100",
        "evaluation.explained_mistakes=0",
        "cache.mode=off",
        "run.tensorboard=false",
    ]


@pytest.fixture(scope="module")
def searching(job):
    """Arguments of a search of two depths with one seed."""
    space = ["search.depths=2,3", "search.learning_rates=[1e-2]", "search.seeds=[0]"]
    space += ["search.first_answer=false"]
    return [*job, *space, "search.widen_edges=false"]


def ended_before(monkeypatch, *names):
    """Ends the process, as it were, before rounds of these names, each once."""
    real, waiting = rounds.fine_tune, list(names)

    def fine_tune(*args, **kwargs):
        name = kwargs["outputs"].checkpoints.name
        if waiting and name == waiting[0]:
            waiting.pop(0)
            raise KeyboardInterrupt
        return real(*args, **kwargs)

    monkeypatch.setattr(rounds, "fine_tune", fine_tune)


@pytest.fixture(scope="module")
def trained(job, tmp_path_factory):
    """Folder of a run that was ended before its second fold, and gone on with."""
    folder = tmp_path_factory.mktemp("folds") / "run"
    with pytest.MonkeyPatch.context() as patch:
        ended_before(patch, "fold-2")
        with pytest.raises(KeyboardInterrupt):
            train.main([*job, f"run.dir={folder}"])
        assert (folder / "checkpoints" / "fold-1" / "finished").is_dir()
        assert run_command(train.main, [*job, f"run.dir={folder}"]) == 0
    return folder


@pytest.fixture(scope="module")
def searched(searching, tmp_path_factory):
    """Folder of a search that was ended inside its second trial, and gone on with."""
    folder = tmp_path_factory.mktemp("folds") / "search"
    with pytest.MonkeyPatch.context() as patch:
        ended_before(patch, "fold-3")
        with pytest.raises(KeyboardInterrupt):
            search.main([*searching, f"run.dir={folder}"])
        assert run_command(search.main, [*searching, f"run.dir={folder}"]) == 0
    return folder


def read(folder, name):
    return json.loads((folder / name).read_text())


def test_run_is_scored_out_of_fold_and_in_every_fold(trained):
    metrics, evaluation = read(trained, "metrics.json"), read(trained, "evaluation.json")

    assert list(metrics) == ["out-of-fold", "fold-1", "fold-2", "fold-3"]
    report = evaluation["out-of-fold"]
    assert (report["n"], [fold["n"] for fold in report["folds"]]) == (60, [20, 20, 20])
    of_folds = [metrics[f"fold-{number}"]["accuracy"]["value"] for number in (1, 2, 3)]
    assert metrics["out-of-fold"]["accuracy"]["value"] == pytest.approx(np.mean(of_folds))
    estimate = metrics["out-of-fold"]["accuracy"]
    assert estimate["low"] <= estimate["value"] <= estimate["high"]


def test_final_model_is_trained_on_all_examples_for_the_mean_best_epoch(trained):
    history = read(trained, "history.json")

    best = [fold["best_epoch"] for fold in history["folds"]]
    assert len(history["epochs"]) == max(1, round(sum(best) / FOLDS))
    assert "val_accuracy" not in history["epochs"][0]
    assert "val_accuracy" in history["folds"][0]["epochs"][0]
    assert not (trained / "checkpoints").exists()
    page = (trained / "report.html").read_text()
    assert "Scores on the 60 out-of-fold examples" in page
    assert "means over 3 folds" in page


def test_run_without_test_split_points_to_its_out_of_fold_scores(trained, capsys):
    assert run_command(evaluate.main, [str(trained)]) == 2
    error = capsys.readouterr().err
    assert "this run has neither test nor validation split; give FILE" in error
    assert f"Its out-of-fold scores stand in {trained}/metrics.json" in error


def test_search_compares_cells_by_their_pooled_answers_to_all_training_examples(searched):
    found = read(searched, "search.json")

    assert (found["recommendation"]["num_examples"], found["recommendation"]["folds"]) == (60, 3)
    assert "out-of-fold accuracy" in found["answer"]
    assert "3 folds)" in found["answer"]
    right = {}
    for trial in found["trials"]:
        folder = searched / "trials" / trial["folder"]
        predictions = load_predictions(folder / "validation.npz")
        assert np.bincount(predictions.targets).tolist() == [30, 30]
        right[trial["request"]["cell"]["frozen_depth"]] = np.mean(
            predictions.logits.argmax(axis=1) == predictions.targets
        )
        assert trial["result"]["score"] == pytest.approx(
            right[trial["request"]["cell"]["frozen_depth"]]
        )
        assert len(trial["fold_histories"]) == FOLDS
        assert not (folder / "checkpoints").exists()
    assert found["recommendation"]["best_depth"] == max(right, key=lambda depth: right[depth])
    assert list(found["chosen"]["scores"]) == ["out-of-fold"]


def test_trial_of_a_search_answers_as_train_does_bit_for_bit(searched, trained):
    """Each was ended at another fold."""
    metrics = read(trained, "metrics.json")["out-of-fold"]
    (trial,) = [
        trial
        for trial in read(searched, "search.json")["trials"]
        if trial["request"]["cell"]["frozen_depth"] == 2
    ]
    assert trial["result"]["metrics"] == {
        name: estimate["value"] for name, estimate in metrics.items()
    }


def test_search_of_other_folds_is_another_search(searched, searching, capsys):
    others = [a for a in searching if not a.startswith("data.folds")]
    code = run_command(search.main, [*others, "data.folds=4", f"run.dir={searched}"])
    assert code == 2
    assert "belongs to another search: data.folds: other content" in capsys.readouterr().err


def test_folds_are_told_before_anything_is_trained(job, capsys):
    line = "folds: 3 of 20, 20, 20 training examples (data.folds)"
    for main in (validate.main, plan.main):
        assert run_command(main, job) == 0
        assert line in " ".join(capsys.readouterr().out.split())


def test_probes_of_a_profile_answer_out_of_fold(job, tmp_path):
    output = tmp_path / "profile.json"
    assert run_command(profile.main, [*job, f"--output={output}"]) == 0
    probes = json.loads(output.read_text())["probes"]
    # The word embeddings of "good" and "bad" are apart, so that 60 of 60 are right.
    assert (probes[0]["score"], probes[0]["standard_error"]) == (1.0, 0.0)
