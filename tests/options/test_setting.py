"""Settings of a section as items of a list of another one."""

from typing import Annotated

import pytest
from pydantic import TypeAdapter, ValidationError

from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.methods.full import Full
from tf_finetune.methods.lora import Lora
from tf_finetune.options.section import Section
from tf_finetune.options.setting import Setting

METHODS = TypeAdapter(tuple[Annotated[Section, Setting("method")], ...])


def test_an_item_is_a_name_or_a_mapping_with_its_options():
    found = METHODS.validate_python(["full", {"name": "lora", "rank": "4"}])

    assert found == (Full(), Lora(rank=4))
    assert METHODS.validate_json(METHODS.dump_json(found)) == found


def test_a_mistake_stands_at_its_item():
    with pytest.raises(ValidationError) as caught:
        METHODS.validate_python(["full", {"name": "full", "rank": 4}])

    assert [error["loc"] for error in caught.value.errors()] == [(1, "rank")]


def test_the_schema_takes_both_forms():
    section = ExperimentConfig.model_json_schema()["$defs"]["SearchConfig"]
    name, mapping = section["properties"]["methods"]["items"]["anyOf"]

    assert "lora" in name["enum"]
    assert {"name", "rank"} <= set(mapping["properties"])
