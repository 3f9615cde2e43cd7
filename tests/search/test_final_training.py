"""How long the chosen cell is trained where no validation examples are left to stop it."""

from types import SimpleNamespace

import pytest

from tf_finetune.config.sections import ExperimentConfig
from tf_finetune.search.final_training import _without_early_stopping
from tf_finetune.search.trial import Cell

CELL, OTHER = Cell(2, 3e-4), Cell(3, 3e-4)


def trial(*accuracies, cell=CELL, is_completed=True):
    history = tuple({"val_accuracy": accuracy} for accuracy in accuracies)
    request = SimpleNamespace(cell=cell)
    return SimpleNamespace(history=history, request=request, is_completed=is_completed)


def epochs_of(records, *, higher=True, patience=1):
    training = {"epochs": 9, "early_stopping_patience": patience}
    config = ExperimentConfig.model_validate({"training": training})
    job = SimpleNamespace(metric="accuracy", higher_is_better=higher)
    found = _without_early_stopping(config, CELL, records, job).training
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
        ([], 9),
    ],
)
def test_trains_as_many_epochs_as_were_best_in_the_trials_of_the_cell(records, epochs):
    assert epochs_of(records) == (epochs, None)


def test_the_best_epoch_of_a_loss_is_its_lowest():
    assert epochs_of([trial(0.9, 0.3, 0.5)], higher=False) == (2, None)


def test_all_epochs_are_trained_where_nothing_stopped_the_trials():
    assert epochs_of([trial(0.5, 0.9, 0.8)], patience=None) == (9, None)
