"""Every method keeps what frozen layers, caches and weight decay rely on."""

import numpy as np
import pytest
from rich.console import Console

from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.methods.table import METHODS
from tf_finetune.prefix.of_a_run import cached_states

pytestmark = pytest.mark.numeric


@pytest.fixture(scope="module", params=METHODS)
def method(request):
    return request.param


@pytest.fixture(scope="module")
def config(training):
    return training(epochs=1, weight_decay=0.1, learning_rate=1e-3)


@pytest.fixture(scope="module")
def of_method(method, build, splits, config):
    return build(splits, config, depth=2, method=method)


def test_what_the_method_trains_changes_and_nothing_else_does(of_method, run, weights, config):
    of_method.classifier.reset(config.seed)
    before = weights(of_method)

    run(of_method, config)

    after = weights(of_method)
    plan = of_method.classifier.plan
    for row in plan.rows:
        changed = not np.array_equal(before[row.path], after[row.path])
        assert changed == row.trainable, row.path
    assert plan.frozen_depth == 2
    assert all(row.trainable for row in plan.rows if row.part == "head")


def test_cached_states_give_the_same_run(
    method, of_method, run, state, rounded, assert_equal, splits, config, cpu
):
    options = {"cache": {"mode": "memory"}, "training": config, "method": {"name": method}}
    whole = ExperimentConfig.model_validate(options | {"freeze": {"depth": 2}})
    expected = rounded(state(of_method, run(of_method, config)))

    states = cached_states(of_method, splits, whole, cpu, Console(quiet=True))

    found = rounded(state(of_method, run(of_method, config, states=states)))
    assert set(states) >= {"train", "validation"}
    assert_equal(found, expected, atol=1e-5)
