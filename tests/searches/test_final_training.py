"""How long the chosen cell is trained where no validation examples are left to stop it."""

from types import SimpleNamespace

import numpy as np
import pytest
from rich.console import Console
from scipy import special

from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.data.loading import Splits
from tf_finetune.results.trial import Cell, Predictions
from tf_finetune.searches.final_training import (
    _completed,
    _decided,
    _without_early_stopping,
)
from tf_finetune.searches.running.records import TrialRecord
from tf_finetune.searches.running.trial_request import TrialRequest
from tf_finetune.tasks.classes import Classes
from tf_finetune.tasks.several_classes import SeveralClasses

CELL, OTHER = Cell(2, 3e-4), Cell(3, 3e-4)


def history_of(scores, metric="accuracy"):
    return tuple({f"val_{metric}": score} for score in scores)


def trial(*scores, cell=CELL, is_completed=True, metric="accuracy", folds=()):
    return TrialRecord(
        TrialRequest(cell, 0, 9),
        "explore",
        SimpleNamespace(status="completed" if is_completed else "failed"),
        1.0,
        history_of(scores, metric),
        "folder",
        fold_histories=tuple(map(history_of, folds)),
    )


def epochs_of(records, *, monitor="accuracy", patience=1):
    training = {"epochs": 9, "early_stopping_patience": patience, "monitor": monitor}
    config = ExperimentConfig.model_validate({"training": training})
    labels = Classes(("neg", "pos"))
    found = _without_early_stopping(config, CELL, records, labels).training
    return found.epochs, found.early_stopping_patience


@pytest.mark.parametrize(
    ("records", "epochs"),
    [
        ([trial(0.5, 0.9, 0.8)], 2),
        ([trial(0.9, 0.8)], 1),
        ([trial(0.5, 0.6, 0.7, 0.9)], 4),
        ([trial(0.5, 0.9), trial(0.5, 0.6, 0.7, 0.9)], 3),  # the mean of 2 and 4
        ([trial(0.5, 0.9), trial(0.1, 0.2, 0.3, cell=OTHER)], 2),
        ([trial(0.5, 0.9), trial(0.1, 0.2, 0.3, is_completed=False)], 2),
        ([trial(0.5, folds=[(0.5, 0.9), (0.5, 0.6, 0.7, 0.9)])], 3),  # of the folds, not of means
        ([], 9),
    ],
)
def test_trains_as_many_epochs_as_were_best_in_the_trials_of_the_cell(records, epochs):
    assert epochs_of(records) == (epochs, None)


def test_the_best_epoch_of_a_loss_is_its_lowest():
    assert epochs_of([trial(0.9, 0.3, 0.5, metric="loss")], monitor="loss") == (2, None)


def test_all_epochs_are_trained_where_nothing_stopped_the_trials():
    assert epochs_of([trial(0.5, 0.9, 0.8)], patience=None) == (9, None)


def test_without_validation_the_threshold_is_that_of_what_the_trials_of_the_cell_answered():
    labels = SeveralClasses(("a", "b"))

    def answered(chances, **more):
        targets = np.array([[1, 0], [0, 0]], np.float32)
        record = trial(0.5, **more)
        found = Predictions(targets, special.logit(np.array(chances)))
        record.result.load_predictions = lambda: found
        return record

    low, lower = [[0.3, 0.1], [0.1, 0.1]], [[0.2, 0.05], [0.05, 0.05]]
    other = answered([[0.05, 0.9], [0.9, 0.9]], cell=OTHER)
    failed = answered([[0.05, 0.9], [0.9, 0.9]], is_completed=False)

    def threshold_of(*records):
        config = ExperimentConfig.model_validate({"evaluation": {"threshold": "auto"}})
        splits = Splits(None, None, None, labels, None)
        trials = _completed(records, CELL)
        return _decided(None, splits, config, None, trials, None, Console())[1].labels.threshold

    found = threshold_of(answered(low), answered(lower), other, failed)
    assert found == pytest.approx(0.15, abs=0.025)
    assert threshold_of(other) == 0.5
