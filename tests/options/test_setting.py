"""Settings of a section as items of a list of another one."""

from typing import Annotated

import pytest
from pydantic import TypeAdapter, ValidationError

from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.methods.full import Full
from tf_finetune.methods.lora import Lora
from tf_finetune.options.setting import Setting
from tf_finetune.options.tried import OwnRates, Tried

METHODS = TypeAdapter(tuple[Annotated[Tried, Setting("method")], ...])


def test_an_item_is_a_name_or_a_mapping_with_its_options():
    found = METHODS.validate_python(["full", {"name": "lora", "rank": "4"}])

    assert found == (Tried(Full()), Tried(Lora(rank=4)))
    assert METHODS.validate_json(METHODS.dump_json(found)) == found


def test_an_item_has_rates_of_its_own_which_are_written_where_there_are_any():
    given = {"learning_rates": [1e-3], "learning_rates_by_depth": {2: [0.1]}}
    found = METHODS.validate_python([{"name": "lora", "rank": 4} | given, "full"])

    rates = OwnRates(learning_rates=(1e-3,), learning_rates_by_depth={2: (0.1,)})
    assert found == (Tried(Lora(rank=4), rates), Tried(Full()))
    assert METHODS.validate_json(METHODS.dump_json(found)) == found
    assert METHODS.dump_python(found)[1] == {"name": "full"}


def test_mistakes_of_method_and_rates_are_told_together():
    with pytest.raises(ValidationError) as caught:
        METHODS.validate_python(["full", {"name": "lora", "rank": 0, "learning_rates": [1e-3, 0]}])

    assert [error["loc"] for error in caught.value.errors()] == [
        (1, "rank"),
        (1, "learning_rates", 1),
    ]


def test_a_mistake_stands_at_its_item():
    with pytest.raises(ValidationError) as caught:
        METHODS.validate_python(["full", {"name": "full", "rank": 4}])

    assert [error["loc"] for error in caught.value.errors()] == [(1, "rank")]


def test_the_schema_takes_both_forms():
    section = ExperimentConfig.model_json_schema()["$defs"]["SearchConfig"]
    name, mapping = section["properties"]["methods"]["items"]["anyOf"]

    assert "lora" in name["enum"]
    assert {"name", "rank", "learning_rates"} <= set(mapping["properties"])
