"""What the race suite asks of a search, and how it sums up."""

import argparse

import pytest

from tf_finetune.config.loading import load_config
from tools.benchmarks.data_sets import DATA_SETS, MINILM
from tools.benchmarks.race import _options, _shown, _sums
from tools.benchmarks.torch_environment import BenchError


def arguments(folder, **more):
    values = {"data": folder, "texts": None, "depths": "all", "epochs": 3, "encoder": MINILM}
    return argparse.Namespace(**(values | more))


def files_of(name, folder):
    for file in filter(None, DATA_SETS[name].files):
        (folder / file).parent.mkdir(exist_ok=True)
        (folder / file).write_text("")


@pytest.mark.parametrize("name", DATA_SETS)
def test_a_search_takes_the_options_of_every_data_set(tmp_path, name):
    files_of(name, tmp_path)

    config = load_config(None, _options(DATA_SETS[name], arguments(tmp_path, texts=100), seed=1))

    assert config.data.train_limit == 100
    assert config.search.seeds == (2, 3)


def test_files_that_are_missing_are_named(tmp_path):
    with pytest.raises(BenchError, match=r"snips/train\.tsv and .*snips/test\.tsv is missing"):
        _options(DATA_SETS["snips-1000"], arguments(tmp_path), seed=0)


def row(oracle, seconds, best, loss=None, lost=0.0):
    cell = {"frozen_depth": 4, "learning_rate": 3e-4}
    return {
        "data": "snips-1000",
        "seed": 0,
        "oracle": oracle,
        "seconds": seconds,
        "trials": 9,
        "cells": {"best": cell, "recommended": cell | {"learning_rate": None}},
        "tested": {"best": best, "recommended": best - lost},
        "loss": loss,
        "loss_on_test": lost,
    }


def test_the_race_is_summed_up_against_the_grid_of_the_same_data():
    loss = {"expected": 0.01, "low": -0.01, "high": 0.02}
    rows = [
        *(row("grid", 100.0, 0.90), row("race", 20.0, 0.91, loss, 0.015)),
        *(row("grid", 100.0, 0.80, loss, 0.03), row("race", 40.0, 0.79)),
    ]

    assert _sums(rows) == [
        "the race takes 30% of the grid's seconds",
        "its best cells score +0.0000 on test against those of the grid",
        "1 of 2 losses on test lie in their intervals",
    ]
    assert _shown(rows[1])[3:] == [
        *("20", "9", "4 3.0e-04", "0.9100", "4 exact", "0.8950"),
        *("-0.0100 to 0.0200", "0.0150"),
    ]
