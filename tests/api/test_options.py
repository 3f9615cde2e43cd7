"""Options as keywords: their names, what they may be, and what is said of mistakes."""

from pathlib import Path

import numpy as np
import pytest

from tf_finetune.api.options import SHORT_NAMES, configured
from tf_finetune.config import uses
from tf_finetune.config.describe import option_names
from tf_finetune.errors import UserError


def load(config=None, **keywords):
    return configured(config, keywords, uses.TRAIN, "fine_tune")


def test_keywords_are_the_names_of_options_and_of_sections():
    config = load(
        depth=4,
        learning_rate=3e-4,
        encoder="some/encoder",
        method={"name": "lora", "rank": 4},
        training={"epochs": 2},
        folder=Path("runs/x"),
        **{"evaluation.batch_size": 8},
    )

    assert (config.freeze.depth, config.training.learning_rate) == (4, 3e-4)
    assert (config.encoder.name, config.run.dir) == ("some/encoder", "runs/x")
    assert (config.method.name, config.method.rank) == ("lora", 4)
    assert (config.training.epochs, config.evaluation.batch_size) == (2, 8)


def test_numbers_may_be_those_of_numpy():
    config = load(depth=np.int64(4), learning_rate=np.float64(0.5), seed=np.int32(3))

    assert (config.freeze.depth, config.training.learning_rate, config.training.seed) == (4, 0.5, 3)


def test_keywords_go_before_the_configuration(tmp_path):
    file = tmp_path / "c.yaml"
    file.write_text("training:\n  epochs: 5\n  seed: 7\n", encoding="utf-8")

    for config in (file, str(file), {"training": {"epochs": 5, "seed": 7}}):
        loaded = load(config, epochs=2)
        assert (loaded.training.epochs, loaded.training.seed) == (2, 7)


def test_every_mistake_is_told_at_once_in_the_words_of_the_options():
    with pytest.raises(UserError) as raised:
        load({"training": {"epoch": 3}}, deptth=4, time_budget="2m", dir="x", freeze=3, seed="many")

    problems = raised.value.problems
    assert problems[:4] == [
        "deptth: unknown option; nearest: depth",
        "time_budget: fine_tune does not use it",
        "dir: could be cache.dir or run.dir; accepted: cache={'dir': ...} or run={'dir': ...}",
        "freeze: received 3; accepted: a dictionary of options of this section",
    ]
    assert any(p.startswith("training.epoch: unknown option; nearest:") for p in problems)
    assert any(p.startswith("training.seed: received many; accepted:") for p in problems)


def test_same_option_twice_is_refused():
    with pytest.raises(UserError, match=r"training: training.epochs is given twice"):
        load(epochs=2, training={"epochs": 3})


def test_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(UserError, match="no such file"):
        load(tmp_path / "none.yaml")


def test_short_names_are_those_of_options():
    assert set(SHORT_NAMES.values()) <= set(option_names())
