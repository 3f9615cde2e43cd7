from typing import Annotated

import pytest
from pydantic import TypeAdapter, ValidationError

from tf_finetune.options.one_of import OneOf


def test_names_of_the_table_and_further_ones_are_accepted_and_others_are_not():
    adapter = TypeAdapter(Annotated[str, OneOf({"red": 1, "blue": 2}, "auto")])

    assert [adapter.validate_python(name) for name in ("auto", "red", "blue")] == [
        *("auto", "red", "blue")
    ]
    for wrong in ("green", "", 3):
        with pytest.raises(ValidationError):
            adapter.validate_python(wrong)
    assert adapter.json_schema() == {"type": "string", "enum": ["auto", "red", "blue"]}


def test_a_name_that_comes_later_is_accepted():
    table = {"red": 1}
    adapter = TypeAdapter(Annotated[str, OneOf(table)])
    table["green"] = 3

    assert adapter.validate_python("green") == "green"
    assert adapter.json_schema()["enum"] == ["red", "green"]
