"""Every method keeps what frozen layers, caches and weight decay rely on."""

from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console

from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.methods.table import METHODS
from tf_finetune.prefix.of_a_run import cached_states
from tf_finetune.training.objectives import OBJECTIVES

pytestmark = [pytest.mark.numeric, pytest.mark.eager]


@pytest.fixture(scope="module", params=METHODS)
def method(request):
    """A method; one of pairs with the fewest, as steps are eager here."""
    return {"name": request.param} | ({"pairs": 1} if "pairs" in fields(request.param) else {})


def fields(name):
    return METHODS[name].model_fields


@pytest.fixture(scope="module")
def config(training):
    return training(epochs=1, weight_decay=0.1, learning_rate=1e-3)


@pytest.fixture(scope="module")
def trained(splits):
    """Without what is scored: that is a trace more, and tests/contracts asks it of every method."""
    return replace(splits, validation=None)


@pytest.fixture(scope="module")
def of_method(method, build, trained, config):
    return build(trained, config, depth=2, method=method)


@pytest.fixture(scope="module")
def ended(of_method, run, weights, state, config, trained):
    """Weights before a run, and all that it left."""
    of_method.classifier.reset(config.seed)
    before = weights(of_method)
    return before, state(of_method, run(of_method, config, trained))


def test_what_the_method_trains_changes_and_nothing_else_does(of_method, ended):
    before, after = ended
    plan = of_method.classifier.plan
    for row in plan.rows:
        changed = not np.array_equal(before[row.path], after[row.path])
        assert changed == row.trainable, row.path
    assert plan.frozen_depth == 2
    assert all(row.trainable for row in plan.rows if row.part == "head")


def test_cached_states_give_the_same_run(
    method, of_method, ended, build, run, state, rounded, assert_equal, trained, config, request
):
    """On two devices, where the method adds variables, of which each then has a copy."""
    several = bool(of_method.classifier.plan.added)
    chosen = request.getfixturevalue("two_replicas" if several else "cpu")
    model = build(trained, config, 2, chosen, method) if several else of_method
    options = {"cache": {"mode": "memory"}, "training": config, "method": method}
    whole = ExperimentConfig.model_validate(options | {"freeze": {"depth": 2}})

    states = cached_states(model, trained, whole, chosen, Console(quiet=True))

    found = state(model, run(model, config, trained, chosen, states=states))
    assert "train" in states
    found, expected = rounded(found), rounded(ended[1])
    if OBJECTIVES[METHODS[method["name"]].learns_from].leaves_head:
        # Solved for vectors of so tiny an encoder that some of their axes are rounding alone.
        for of_run in (found, expected):
            del of_run["classifier/kernel"], of_run["classifier/bias"]
    assert_equal(found, expected, atol=1e-5)
