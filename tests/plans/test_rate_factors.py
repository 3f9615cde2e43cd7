"""The share of the learning rate at which each variable trains."""

import pytest

from tf_finetune.encoders.families.table import FAMILIES
from tf_finetune.methods.full import Full
from tf_finetune.options.freeze import FreezeConfig
from tf_finetune.options.training import TrainingConfig
from tf_finetune.plans.freezing import PlanRow, plan_freezing
from tf_finetune.plans.rate_factors import with_rate_factors
from tf_finetune.reports.plan_tables import plan_markdown

SIZES = {
    "hidden_size": 4,
    "num_hidden_layers": 2,
    "num_attention_heads": 1,
    "intermediate_size": 8,
    "vocab_size": 10,
    "max_position_embeddings": 6,
    "type_vocab_size": 2,
    "embedding_size": 4,  # and what ALBERT asks for
    "num_hidden_groups": 1,
    "inner_group_num": 1,
}


def rated(family="bert", depth=0, **training):
    variables = FAMILIES[family].variables(SIZES, num_labels=2)
    plan = plan_freezing(FreezeConfig(depth=depth), Full(), variables)
    return with_rate_factors(plan, TrainingConfig(**training))


def by_place(plan):
    return {row.part if row.layer is None else row.layer: row.rate_factor for row in plan.rows}


def test_each_layer_has_the_rate_of_what_is_above_it_times_the_decay():
    factors = by_place(rated(layer_decay=0.5))

    assert factors == {"head": 1.0, "pooler": 1.0, 1: 0.5, 0: 0.25, "embeddings": 0.125}


def test_the_head_alone_has_its_own_factor():
    factors = by_place(rated(layer_decay=0.5, head_rate_factor=10.0))

    assert (factors["head"], factors["pooler"], factors[1]) == (10.0, 1.0, 0.5)


def test_what_layers_share_has_the_rate_of_the_lowest():
    plan = rated("albert", layer_decay=0.5)

    shared = {row.rate_factor for row in plan.rows if len(row.layers) > 1}
    assert shared == {0.25}


def test_without_options_nothing_changes():
    assert rated() == plan_freezing(
        FreezeConfig(), Full(), FAMILIES["bert"].variables(SIZES, num_labels=2)
    )


def test_the_plan_shows_rates_of_what_trains_where_they_differ():
    frozen = rated(depth=1, layer_decay=0.9)

    table = plan_markdown(frozen)
    assert "| place | parameters | trained | rate | by |" in table
    assert "|  | freeze.depth=1 |" in table
    assert "| 0.9x | trains by default |" in table
    assert "rate" not in plan_markdown(rated(depth=1))
    assert {row["rate_factor"] for row in frozen.to_dict()["rows"] if row["layer"] == 1} == {0.9}


def test_a_plan_that_an_older_version_wrote_is_read():
    row = rated(depth=1).rows[0]
    written = row.to_dict()
    del written["rate_factor"]

    assert PlanRow.from_dict(written) == row


@pytest.mark.parametrize(
    "wrong", [{"layer_decay": 0.0}, {"layer_decay": 1.1}, {"head_rate_factor": 0}]
)
def test_factors_are_over_nothing(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        TrainingConfig(**wrong)
