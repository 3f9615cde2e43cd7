from typing import Annotated

import pytest
from pydantic import TypeAdapter, ValidationError

from tf_finetune.options.one_of import OneOf, look_up


@pytest.fixture
def colours(monkeypatch):
    table = {"red": 1, "blue": 2}
    monkeypatch.setattr("tf_finetune.options.one_of._TABLES", {})
    look_up("colour", table)
    return table


def test_names_of_the_table_and_further_words_are_accepted_and_others_are_not(colours):
    adapter = TypeAdapter(Annotated[str, OneOf("colour", ("auto",))])

    for name in ("auto", "red", "blue"):
        assert adapter.validate_python(name) == name
    for wrong in ("green", "", 3):
        with pytest.raises(ValidationError):
            adapter.validate_python(wrong)
    assert adapter.json_schema() == {"type": "string", "enum": ["auto", "red", "blue"]}


def test_a_name_that_comes_later_is_accepted(colours):
    adapter = TypeAdapter(Annotated[str, OneOf("colour")])
    colours["green"] = 3

    assert adapter.validate_python("green") == "green"
    assert adapter.json_schema()["enum"] == ["red", "blue", "green"]


def test_a_section_without_tables_takes_every_name(colours):
    assert TypeAdapter(Annotated[str, OneOf("shape")]).validate_python("round") == "round"
