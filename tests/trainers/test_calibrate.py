"""`evaluation.calibrate` from training to what predict, evaluate and an opened model answer."""

import json

import numpy as np
import pytest

from tf_finetune.evaluation.temperature import fit_temperature
from tf_finetune.runs.opening import open_model
from tf_finetune.runs.trained_model import load_trained_model
from tf_finetune.sources.records import Record
from tf_finetune.training.strategy import build_strategy
from trainers import evaluate, train
from trainers.cli import run_command

pytestmark = pytest.mark.long

TEXTS = ("the film was good", "a dull plot", "the plot 3 was very bad and dull .")


@pytest.fixture(scope="module")
def runs(tiny_encoder, tmp_path_factory):
    """A run, and the same with a temperature; labels that texts say only in part."""
    folder = tmp_path_factory.mktemp("calibrated")
    words = np.random.default_rng(0).choice(["good", "bad", "film", "plot", "very"], (120, 4))
    rows = [f"{' '.join(row)},{'pos' if (row == 'good').sum() else 'neg'}" for row in words]
    noisy = [f"{row.split(',')[0]},pos" if n % 5 == 0 else row for n, row in enumerate(rows)]
    (folder / "texts.csv").write_text("text,label\n" + "\n".join(noisy) + "\n")
    made = {}
    for calibrate in ("false", "true"):
        made[calibrate] = folder / calibrate
        given = [
            str(folder / "texts.csv"),
            f"encoder.name={tiny_encoder}",
            f"data.cache_dir={folder}",
            "data.max_length=16",
            "data.validation_fraction=0.3",
            "data.test_fraction=0.3",
            "training.epochs=3",
            "training.learning_rate=1e-2",
            "evaluation.explained_mistakes=0",
            "evaluation.bootstrap_resamples=100",
            "run.tensorboard=false",
            f"evaluation.calibrate={calibrate}",
            f"run.dir={made[calibrate]}",
        ]
        assert run_command(train.main, given) == 0
    return made


def logits_of(folder):
    opened = open_model(str(folder))
    model = load_trained_model(opened.files, opened.labels, opened.config, build_strategy("auto"))
    return opened.labels, model.logits_of([Record(1, text, None, None) for text in TEXTS], 8)


def test_an_opened_model_answers_with_logits_divided_by_the_temperature(runs):
    _, plain = logits_of(runs["false"])
    labels, calibrated = logits_of(runs["true"])
    assert labels.temperature not in (0, 1)
    told = json.loads((runs["true"] / "model" / "config.json").read_text())["label_temperature"]
    assert told == labels.temperature
    np.testing.assert_allclose(calibrated, plain / labels.temperature, atol=1e-5)


def test_labels_stay_and_the_loss_of_validation_falls(runs):
    reports = {
        name: json.loads((folder / "evaluation.json").read_text()) for name, folder in runs.items()
    }
    plain, calibrated = (reports[name]["validation"]["metrics"] for name in ("false", "true"))
    assert calibrated["accuracy"]["value"] == plain["accuracy"]["value"]
    assert calibrated["loss"]["value"] < plain["loss"]["value"]


def test_evaluate_scores_as_training_did(runs):
    assert run_command(evaluate.main, [str(runs["true"])]) == 0
    own = json.loads((runs["true"] / "evaluation.json").read_text())["test"]["metrics"]
    (again,) = (runs["true"] / "evaluations").glob("*metrics.json")
    found = json.loads(again.read_text())
    assert found["test"]["loss"] == pytest.approx(own["loss"], abs=1e-5)


def test_the_temperature_is_the_one_of_the_least_loss(runs):
    labels, _ = logits_of(runs["true"])
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(200, 2)) * 4
    targets = (logits[:, 1] + 4 * rng.normal(size=200) > logits[:, 0]).astype(np.int32)
    found = fit_temperature(labels, targets, logits).value
    losses = [
        labels.losses_and_slopes(targets, logits / t)[0].mean()
        for t in found * np.array([0.9, 1, 1.1])
    ]
    assert np.argmin(losses) == 1
