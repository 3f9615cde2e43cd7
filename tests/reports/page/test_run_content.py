from dataclasses import replace
from pathlib import Path

import pytest

from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.evaluation.report import FoldScores
from tf_finetune.options.data import DataConfig
from tf_finetune.options.encoder import EncoderConfig
from tf_finetune.options.training import TrainingConfig
from tf_finetune.reports.page.next_steps import next_commands, short_name
from tf_finetune.reports.page.run_content import run_content

HISTORY = [
    {"loss": 0.6, "val_accuracy": 0.7, "seconds": 9.0, "examples_per_second": 50.0},
    {"loss": 0.4, "val_accuracy": 0.9, "seconds": 5.0, "examples_per_second": 90.0},
    {"loss": 0.3, "val_accuracy": 0.8, "seconds": 4.0, "examples_per_second": 100.0},
]
CONFIG = ExperimentConfig(
    data=DataConfig(train="reviews.csv"),
    encoder=EncoderConfig(name="org/encoder"),
    training=TrainingConfig(learning_rate=3e-4, seed=7),
)


@pytest.fixture
def content(run_content):
    return run_content()


def gather(content, reports):
    return run_content(
        CONFIG, Path("runs/a b"), "accuracy", HISTORY, 2, reports, content.plan, content.data, None
    )


def test_a_run_is_one_trial_that_ends_at_its_best_epoch(content):
    (trial,) = gather(content, content.reports).trials
    assert (trial.depth, trial.learning_rate, trial.seed) == (4, 3e-4, 7)
    assert (trial.score, trial.epochs, trial.train_seconds) == (0.9, 3, 18.0)
    assert trial.seconds_per_epoch == 6.0
    assert trial.examples_per_second == 80.0


def test_the_sentence_of_a_run_compares_with_what_needs_no_training(content):
    (sentence,) = gather(content, content.reports).summary
    assert sentence.startswith("Test accuracy 0.")
    assert "% interval 0." in sentence
    assert "with 4 of 6 layers frozen; to compare: before fine-tuning 0." in sentence


def test_folds_have_a_sentence_of_their_own(content):
    report = content.reports["test"]
    accuracy = report.metrics["accuracy"]
    of_folds = [
        FoldScores(f"fold-{i}", 3, {"accuracy": accuracy | {"value": value}})
        for i, value in enumerate((0.75, 0.5), start=1)
    ]
    folded = replace(report, split="out-of-fold", n=6, folds=tuple(of_folds))

    beside_test = gather(content, {"test": report, "out-of-fold": folded}).summary[1]
    alone = gather(content, {"out-of-fold": folded}).summary

    assert beside_test.startswith(
        "Each of the 6 training examples was answered by a model that was not trained on its fold: "
        "accuracy 0.500 to 0.750 in the 2 folds, 0."
    )
    assert alone[0].startswith("Out-of-fold accuracy 0.")
    assert alone[1].endswith("accuracy 0.500 to 0.750 in the 2 folds.")


def test_without_a_scored_split_the_sentence_says_so(content):
    assert gather(content, {}).summary == (
        "Trained with 4 of 6 layers frozen; there were no examples to score it on.",
    )


def test_commands_can_be_pasted_into_a_shell():
    run = Path("runs/a b")
    lines = [c.line for c in next_commands(run, run / "events")]
    assert lines[:4] == [
        "tf-finetune predict 'runs/a b' texts.csv",
        "tf-finetune evaluate 'runs/a b' new.csv",
        "tf-finetune train --config 'runs/a b/config.yaml' 'run.dir=runs/a b-again'",
        "tensorboard --logdir 'runs/a b/events'",
    ]


def test_only_paths_are_shortened(tmp_path):
    (tmp_path / "reviews.csv").touch()
    assert short_name(str(tmp_path / "reviews.csv")) == "reviews.csv"
    assert short_name("google-bert/bert-base-uncased") == "google-bert/bert-base-uncased"
