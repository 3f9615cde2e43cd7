"""The identity of a search changes with everything that decides its results, and nothing else."""

from types import SimpleNamespace

import numpy as np
import pytest

from tf_finetune.config.sections import ExperimentConfig
from tf_finetune.data import LabelSpace
from tf_finetune.search.identity import search_identity


@pytest.fixture
def weights(tmp_path):
    path = tmp_path / "model.safetensors"
    path.write_bytes(b"weights")
    return path


def split(key="store", rows=(0, 1, 2), labels=(0, 1, 1)):
    store = SimpleNamespace(key=key)
    return SimpleNamespace(store=store, rows=np.array(rows), labels=np.array(labels, np.int32))


def identity(weights, train=None, validation=None, labels=("neg", "pos"), **options):
    config = ExperimentConfig.model_validate({"data": {"train": "reviews.csv"}} | options)
    splits = SimpleNamespace(
        train=train or split(),
        validation=validation or split(rows=(3, 4, 5)),
        labels=LabelSpace("single_label", labels),
    )
    return search_identity(config, SimpleNamespace(weights=weights), splits)


@pytest.mark.parametrize(
    ("part", "change"),
    [
        ("data", {"train": split(key="other texts")}),
        ("data", {"train": split(rows=(0, 2, 1))}),
        ("data", {"train": split(labels=(0, 0, 1))}),
        ("data", {"validation": split(rows=(3, 4, 6))}),
        ("data", {"labels": ("pos", "neg")}),
        ("encoder", {"encoder": {"dropout": 0.3}}),
        ("training", {"training": {"epochs": 7}}),
        ("training", {"training": {"batch_size": 7}}),
        ("training", {"training": {"clip_norm": 7.0}}),
        ("freeze", {"freeze": {"embeddings": True}}),
        ("freeze", {"freeze": {"rules": [{"train": True, "parts": ["layer_norm"]}]}}),
        ("search", {"search": {"rule_sets": {"norms": [{"train": True, "parts": ["bias"]}]}}}),
    ],
)
def test_what_decides_a_result_is_in_it(weights, part, change):
    before, after = identity(weights), identity(weights, **change)

    assert [name for name in before if before[name] != after[name]] == [part]


def test_the_encoders_weights_are_in_it(weights):
    before = identity(weights)
    weights.write_bytes(b"Weights")
    after = identity(weights)

    assert [name for name in before if before[name] != after[name]] == ["encoder"]


@pytest.mark.parametrize(
    "change",
    [
        {"training": {"learning_rate": 1e-4, "seed": 7}},
        {"search": {"depths": [0, 1], "learning_rates": [1e-4], "seeds": [5]}},
        {"run": {"dir": "elsewhere"}},
    ],
)
def test_a_search_goes_on_with_another_space(weights, change):
    assert identity(weights, **change) == identity(weights)
