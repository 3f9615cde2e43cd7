"""The identity of a search changes with everything that decides its results, and nothing else."""

from types import SimpleNamespace

import numpy as np
import pytest

from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.models.head_start import HeadStart
from tf_finetune.models.weights import Pretrained
from tf_finetune.searches.running import identity as module
from tf_finetune.searches.running.identity import search_identity
from tf_finetune.tasks.classes import Classes
from tf_finetune.tasks.several_classes import SeveralClasses
from tf_finetune.tasks.values import Values


@pytest.fixture(autouse=True)
def keep_rows(monkeypatch):
    """Says which rows of the checkpoint's head are kept: none until another call."""

    def keep(*rows):
        def start(files, labels, targets):
            return Pretrained(HeadStart(rows), labels.scale(targets))

        monkeypatch.setattr(module, "pretrained", start)

    keep(None, None)
    return keep


def split(key="store", rows=(0, 1, 2), labels=(0, 1, 1)):
    store = SimpleNamespace(key=key)
    return SimpleNamespace(store=store, rows=np.array(rows), labels=np.array(labels, np.int32))


def identity(
    train=None, validation=None, labels=("neg", "pos"), folds=None, weights="of a", **options
):
    """The identity of a search; labels are names of single labels, or a space."""
    if isinstance(labels, tuple):
        labels = Classes(labels)
    config = ExperimentConfig.model_validate({"data": {"train": "reviews.csv"}} | options)
    splits = SimpleNamespace(
        train=train or split(),
        validation=validation or split(rows=(3, 4, 5)),
        labels=labels,
        folds=None if folds is None else np.array(folds),
    )
    files = SimpleNamespace(checkpoint=SimpleNamespace(sha256=weights))
    return search_identity(config, files, splits)


@pytest.mark.parametrize(
    ("part", "change"),
    [
        ("data", {"train": split(key="other texts")}),
        ("data", {"train": split(rows=(0, 2, 1))}),
        ("data", {"train": split(labels=(0, 0, 1))}),
        ("data", {"validation": split(rows=(3, 4, 6))}),
        ("data", {"labels": ("pos", "neg")}),
        ("encoder", {"encoder": {"dropout": 0.3}}),
        ("encoder", {"encoder": {"pooling": "mean"}}),
        ("training", {"training": {"epochs": 7}}),
        ("training", {"training": {"batch_size": 7}}),
        ("training", {"training": {"clip_norm": 7.0}}),
        ("freeze", {"freeze": {"embeddings": True}}),
        ("freeze", {"freeze": {"rules": [{"train": True, "parts": ["layer_norm"]}]}}),
        ("cache", {"cache": {"dtype": "float16"}}),
        ("method", {"method": {"name": "biases"}}),
        ("search", {"search": {"rule_sets": {"norms": [{"train": True, "parts": ["bias"]}]}}}),
    ],
)
def test_what_decides_a_result_is_in_it(part, change):
    before, after = identity(), identity(**change)

    assert [name for name in after if before.get(name) != after[name]] == [part]


def test_the_encoders_weights_are_in_it():
    before, after = identity(weights="of a"), identity(weights="of b")

    assert [name for name in before if before[name] != after[name]] == ["encoder"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({}, {"folds": (0, 1, 0)}),
        ({"folds": (0, 1, 0)}, {"folds": (0, 1, 1)}),
        (
            {"labels": SeveralClasses(("a", "b"))},
            {"labels": SeveralClasses(("a", "b"), threshold=0.3)},
        ),
        (
            {"labels": Values(), "train": split(labels=(0, 1, 2))},
            {"labels": Values(), "train": split(labels=(0, 1, 3))},
        ),
    ],
)
def test_folds_threshold_and_scale_of_the_targets_are_in_it(before, after):
    one, other = identity(**before), identity(**after)

    assert [name for name in one if one[name] != other[name]] == ["data"]


def test_the_scale_of_the_targets_is_told_by_itself():
    number = {"labels": Values(), "train": split(labels=(1, 2, 3))}

    assert identity(**number)["data"]["standardised_targets"]["mean"] == 2.0


def test_the_kept_rows_of_a_head_are_in_it(keep_rows):
    new = identity()
    keep_rows(0, 1)
    kept = identity()
    keep_rows(1, 0)
    swapped = identity()

    assert new["encoder"] != kept["encoder"] != swapped["encoder"]


@pytest.mark.parametrize(
    "change",
    [
        {"training": {"learning_rate": 1e-4, "seed": 7}, "freeze": {"depth": 1}},
        {"search": {"depths": [0, 1], "learning_rates": [1e-4], "seeds": [5]}},
        {"search": {"ensemble": True, "workers": 2, "time_budget": "20m"}},
        {"training": {"strategy": "cpu", "steps_per_execution": 4, "on_nonfinite": "skip"}},
        {"evaluation": {"threshold": "auto", "batch_size": 7, "mistakes": 3}},
        {"cache": {"mode": "off", "dir": "elsewhere"}, "data": {"cache_dir": "elsewhere"}},
        {"run": {"dir": "elsewhere"}},
    ],
)
def test_a_search_goes_on_with_another_space_and_another_way_of_working(change):
    assert identity(**change) == identity()


def test_journals_of_earlier_versions_know_all_that_is_as_usual():
    usual = identity()

    assert set(usual) == {"data", "encoder", "training", "freeze", "search"}
    assert "threshold" not in usual["data"]
    first = identity(encoder={"pooling": "first"})
    assert "pooling" not in first["encoder"]  # they read the first token
