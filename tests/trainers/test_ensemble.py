"""`search.ensemble` from the search to what predict, evaluate, serve and verify make of it."""

import io
import json
import shutil
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from rich.console import Console

from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.models.rounding import logit_rounding
from tf_finetune.results.trial import TrialResult
from tf_finetune.runs import ensemble
from tf_finetune.runs.opening import open_model
from tf_finetune.runs.trained_model import load_trained_model
from tf_finetune.searches.ensemble import _members, keep_ensemble
from tf_finetune.searches.running.directory import SearchDirectory
from tf_finetune.searches.running.records import TrialJournal
from tf_finetune.searches.running.trial_weights import read_weights, remove_weights, write_weights
from tf_finetune.serving.loading import load_served_model
from tf_finetune.sources.records import Record
from tf_finetune.storage.files import file_sha256
from tf_finetune.training.strategy import build_strategy
from trainers import evaluate, predict, search, verify
from trainers.arguments import parse_arguments
from trainers.cli import run_command
from trainers.trained_run import open_trained_run

pytestmark = pytest.mark.long

TEXTS = ("the film 1 was good and great !", "the plot 2 was dull .", "the film was fine")


@pytest.fixture(scope="module")
def arguments(tiny_encoder, tmp_path_factory):
    """A search of two cells with two seeds each, on texts that a single epoch leaves hard."""
    folder = tmp_path_factory.mktemp("data")
    words = np.random.default_rng(0).choice(["good", "bad", "film", "plot", "very"], (90, 4))
    rows = [f"{' '.join(row)},{'pos' if (row == 'good').sum() else 'neg'}" for row in words]
    (folder / "texts.csv").write_text("text,label\n" + "\n".join(rows) + "\n")
    return [
        str(folder / "texts.csv"),
        f"encoder.name={tiny_encoder}",
        f"data.cache_dir={folder}",
        "data.max_length=16",
        "data.validation_fraction=0.3",
        "data.test_fraction=0.3",
        "training.epochs=1",
        "training.batch_size=16",
        "search.oracle=grid",
        "search.depths=3",
        "search.first_answer=false",
        "search.learning_rates=[1e-2, 1e-6]",
        "search.widen_edges=false",
        "search.seeds=0,1",
        "evaluation.bootstrap_resamples=100",
        "evaluation.explained_mistakes=0",
        "run.tensorboard=false",
        "cache.mode=off",
        "search.ensemble=true",
    ]


@pytest.fixture(scope="module")
def finished(arguments, tmp_path_factory):
    """Folder of a finished search; nobody may change it but by evaluating."""
    folder = tmp_path_factory.mktemp("searches") / "finished"
    assert run_command(search.main, [*arguments, f"run.dir={folder}"]) == 0
    return folder


@pytest.fixture(scope="module")
def loaded():
    """Loads each model folder once for all tests."""
    kept = {}

    def load(files, *arguments):
        if files.path not in kept:
            kept[files.path] = load_trained_model(files, *arguments)
        return kept[files.path]

    return load


@pytest.fixture(autouse=True)
def keep_models(loaded, monkeypatch):
    monkeypatch.setattr(ensemble, "load_trained_model", loaded)


@pytest.fixture(scope="module")
def members(finished, loaded):
    """Probabilities of the texts by each member, from its own folder, and those of the model."""
    single, answering = (open_model(str(finished), single=alone) for alone in (True, False))
    records = [Record(1, text, None, None) for text in TEXTS]
    chosen = build_strategy("auto")
    return [
        single.labels.probabilities(
            loaded(files, single.labels, single.config, chosen).logits_of(records, 8)
        )
        for files in (*answering.members, single.files)
    ]


@pytest.fixture
def rounding(members, loaded, finished):
    """The largest difference of a probability that rounding explains, six digits included."""
    models = [loaded(files).classifier for files in open_model(str(finished)).members]
    return max(float(logit_rounding(model, length=16).max()) for model in models) / 2 + 1e-6


def predicted(folder, capsys, *more):
    texts = [word for text in TEXTS for word in ("--text", text)]
    assert run_command(predict.main, [str(folder), *texts, *more]) == 0
    printed = capsys.readouterr()
    lines = [json.loads(line) for line in printed.out.splitlines()]
    return np.array([[*line["probabilities"].values()] for line in lines]), printed.err


def test_members_are_the_trials_of_the_recommended_cell(finished):
    outcome = json.loads((finished / "search.json").read_text())

    chosen = f"depth3-lr{'0.01' if outcome['chosen']['cell']['learning_rate'] > 1e-3 else '1e-6'}"
    kept = {path.parent.name for path in finished.glob("trials/*/weights.safetensors")}
    assert kept == {f"{chosen}-seed0", f"{chosen}-seed1"}
    assert sorted(path.name for path in (finished / "ensemble").iterdir()) == [
        "manifest.json",
        "seed-0",
        "seed-1",
    ]
    assert outcome["ensemble"]["seeds"] == [0, 1]


def test_predict_answers_the_mean_of_the_members_and_the_single_model_when_told(
    finished, members, capsys, rounding
):
    one, other, single = members
    assert np.abs(one - other).max() > 0.01

    averaged, said = predicted(finished, capsys)
    alone, unsaid = predicted(finished, capsys, "search.ensemble=false")

    assert averaged == pytest.approx((one + other) / 2, abs=rounding)
    assert "an ensemble of 2 models: seed-0, seed-1" in said
    assert alone == pytest.approx(single, abs=rounding)
    assert "ensemble" not in unsaid


def test_scores_stand_beside_the_single_models_and_evaluate_finds_them_again(finished, capsys):
    metrics = json.loads((finished / "metrics.json").read_text())
    outcome = json.loads((finished / "search.json").read_text())

    assert list(metrics) == ["test", "validation", "ensemble-test", "ensemble-validation"]
    sentence = outcome["ensemble"]["sentence"]
    assert sentence in outcome["notes"]
    accuracy = metrics["ensemble-test"]["accuracy"]["value"]
    assert f"The ensemble of 2 seeds has accuracy {accuracy:.4f} on the test split" in sentence
    assert f"the single model {metrics['test']['accuracy']['value']:.4f}" in sentence
    assert "An answer takes 2 times as long" in sentence
    assert "ensemble-test" in (finished / "report.html").read_text()

    assert run_command(evaluate.main, [str(finished)]) == 0
    assert "an ensemble of 2 models" in capsys.readouterr().out
    again = json.loads((finished / "evaluations" / "test.metrics.json").read_text())["test"]
    assert again["accuracy"] == metrics["ensemble-test"]["accuracy"]
    assert again["loss"]["value"] == pytest.approx(metrics["ensemble-test"]["loss"]["value"])
    mean = metrics["ensemble-validation"]["loss"]["value"]
    trials = [t["result"] for t in outcome["trials"]]
    best = [t["metrics"]["loss"] for t in trials if t["cell"] == outcome["chosen"]["cell"]]
    assert mean < np.mean(best)  # the logarithm of a mean is above the mean of logarithms


def test_server_answers_the_same_under_a_version_of_its_own(finished, members, rounding):
    served = load_served_model(str(finished))
    logits = served.logits_of([Record(1, text, None, None) for text in TEXTS])

    assert served.labels.probabilities(logits) == pytest.approx(
        (members[0] + members[1]) / 2, abs=rounding
    )
    single = open_model(str(finished), single=True)
    assert served.version != file_sha256(single.manifest)[: len(served.version)]


def test_commands_of_the_single_model_say_so(finished, capsys):
    arguments = parse_arguments("explain", [str(finished), "--text", "fine"])

    opened = open_trained_run(arguments, alone="explained is the single model's answer")

    assert opened.files.path == finished / "model"
    said = capsys.readouterr().err
    assert (
        said == f"note: {finished} holds an ensemble, too; explained is the single model's answer\n"
    )


def test_damaged_and_missing_members_are_told(finished, tmp_path, capsys, command_fails):
    assert run_command(verify.main, [str(finished)]) == 0
    folder = shutil.copytree(finished, tmp_path / "run")
    name = folder / "ensemble" / "seed-1" / "model.safetensors"
    content = bytearray(name.read_bytes())
    content[-1] ^= 1
    name.write_bytes(content)

    assert f"{name}: damaged" in command_fails(verify.main, str(folder))
    assert f"{name}: damaged" in command_fails(predict.main, str(folder), "--text", "fine")

    shutil.rmtree(folder / "ensemble")
    missing = f"{folder / 'ensemble' / 'manifest.json'}: missing"
    assert missing in command_fails(verify.main, str(folder))
    error = command_fails(predict.main, str(folder), "--text", "fine")
    assert missing in error
    assert "search.ensemble=false answers with it" in error


def test_a_run_whose_options_alone_speak_of_an_ensemble_has_its_own_model(finished, tmp_path):
    left_out = shutil.ignore_patterns("ensemble", "trials")
    folder = shutil.copytree(finished, tmp_path / "run", ignore=left_out)
    (folder / "manifest.json").unlink()  # which would say that the ensemble is gone

    opened = open_model(str(folder))

    assert opened.config.search.ensemble
    assert opened.manifest == folder / "model" / "manifest.json"


@pytest.fixture
def going_on(finished, tmp_path):
    """A search that goes on in a copy of the finished one's folder."""
    directory = SearchDirectory(shutil.copytree(finished, tmp_path / "run"))
    header = json.loads(directory.journal.read_text().splitlines()[0])["record"]
    journal = TrialJournal(directory.journal, directory.trials, header["identity"])
    return SimpleNamespace(directory=directory, journal=journal, config=ExperimentConfig())


@pytest.mark.parametrize("trains", [True, False])
def test_trial_that_kept_no_weights_is_trained_anew(going_on, trains):
    trials = going_on.directory.trials
    own = [r for r in going_on.journal.records.values() if read_weights(trials, r)]
    kept = {r.request.seed: read_weights(trials, r) for r in own}
    remove_weights(trials, own[1:])

    def run(request, stage):
        assert (request, stage) == (own[1].request, "repeat")
        if trains:
            write_weights(trials / own[1].folder, kept[request.seed])
            return replace(own[1], stage=stage)
        failed = TrialResult(request.cell, request.seed, "failed", reason="no memory")
        return replace(own[1], stage=stage, result=failed)

    runner = SimpleNamespace(
        run=run, with_disk_room=lambda action: action(), remove_checkpoints=lambda record: None
    )
    said, notes = io.StringIO(), []
    found = _members(going_on, runner, own, Console(file=said, width=200), notes)

    assert "seed 1: its weights are not kept; trained anew" in said.getvalue()
    assert [member.record.request.seed for member in found] == ([0, 1] if trains else [0])
    assert len(notes) == (0 if trains else 1)
    assert going_on.journal.records[own[1].request.key].stage == own[1].stage
    if trains:
        assert found[1].record.result.load_predictions().logits.shape == (28, 2)
        lines = going_on.directory.journal.read_text().splitlines()
        assert json.loads(lines[-1])["record"]["folder"] == own[1].folder


def test_search_without_an_ensemble_keeps_nothing_of_an_earlier_one(going_on):
    records = list(going_on.journal.records.values())

    assert keep_ensemble(going_on, None, records, None, None) == (None, [])

    assert not going_on.directory.ensemble.exists()
    assert not list(going_on.directory.trials.glob("*/weights.safetensors"))
