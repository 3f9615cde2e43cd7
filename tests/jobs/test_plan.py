"""The plan of a configuration and the price of every depth, as data."""

import pytest

from tf_finetune.config.loading import load_config
from tf_finetune.jobs.plan import plan


@pytest.fixture(scope="module")
def planned(tiny_encoder):
    def priced(*options):
        return plan(load_config(None, [f"encoder.name={tiny_encoder}", *options]), 5)

    return priced


def test_every_depth_has_a_price_and_the_configured_one_is_named(planned):
    found = planned("freeze.depth=2", "training.batch_size=8", "data.max_length=16")

    assert found.step == {"batch_size": 8, "length": 16}
    assert [name for name, _ in found.depths] == ["0", "1", "2", "3"]
    assert found.configured == "2"
    prices = dict(found.depths)
    assert prices["2"] == found.spec.cost(**found.step)
    trained = [sum(cost.trainable_by_part.values()) for cost in prices.values()]
    assert trained == sorted(trained, reverse=True)


def test_a_plan_that_is_no_depth_has_a_price_of_its_own(planned):
    found = planned("freeze.depth=0", "freeze.embeddings=true")

    assert [name for name, _ in found.depths][-1] == found.configured == "as configured"
    assert found.depths[-1][1] == found.spec.cost(**found.step)
    assert dict(found.depths)["0"] == planned("freeze.depth=0").spec.cost(**found.step)
