"""Every option is described, and the committed reference is what the models say."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tf_finetune.config.accepted import accepted_at
from tf_finetune.config.describe import (
    list_sections,
    markdown_page,
    option_names,
)
from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.config.nearest import nearest_options
from tf_finetune.config.schema import json_schema
from tf_finetune.methods.table import METHODS

ROOT = Path(__file__).parents[2]


def test_every_field_of_every_section_is_an_option():
    classes = {s: [field.annotation] for s, field in ExperimentConfig.model_fields.items()}
    classes["method"] = list(METHODS.values())
    expected = [
        f"{section}.{name}"
        for section, found in classes.items()
        for name in dict.fromkeys(name for one in found for name in one.model_fields)
    ]

    assert list(option_names()) == expected
    assert "training.learning_rate" in expected


def test_every_option_says_what_it_means_and_accepts():
    for section in list_sections():
        assert section.description.endswith(".")
        for option in section.options:
            assert option.description
            assert option.accepted
            assert option.default is not None


def test_parts_of_a_listed_mapping_are_described():
    (rules,) = [
        option
        for section in list_sections()
        for option in section.options
        if option.name == "freeze.rules"
    ]

    assert [part.name for part in rules.parts] == ["train", "layers", "parts", "pattern"]
    assert rules.parts[0].default is None
    assert rules.parts[1].default == "null"


@pytest.mark.parametrize(
    ("path", "accepted"),
    [
        (("training", "epochs"), "a whole number from 1 to 10,000, such as 3"),
        (("training", "learning_rate"), "a number above 0 and up to 10, or null, such as 0.0003"),
        (("training", "label_smoothing"), "a number from 0 to below 1, such as 0.1"),
        (("data", "train"), "text or null, such as reviews.csv"),
        (("data", "train_limit"), "a whole number of at least 1, or null, such as 1000"),
        (("data", "header"), "true or false"),
        (("data", "label_names"), "a list of texts, or null, such as neg,pos"),
        (("data", "label_names", 2), "text, such as neg"),
        (("freeze", "rules", 0, "train"), "true or false"),
        (("training", "class_weights", "any"), "a number above 0, such as 1"),
        (
            ("training", "class_weights"),
            "none or balanced, or a mapping from names to numbers above 0, such as "
            "{neg: 1, pos: 3}",
        ),
    ],
)
def test_accepted_values_are_said_in_words(path, accepted):
    assert accepted_at(path) == accepted


def test_name_unlike_every_option_has_no_nearest():
    assert nearest_options("data.qqqqqqqq") == []


def test_schema_refuses_unknown_options():
    assert json_schema()["additionalProperties"] is False
    assert json_schema()["$defs"]["DataConfig"]["additionalProperties"] is False


def test_reference_page_is_up_to_date():
    page = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")

    assert page == markdown_page(), (
        "run: python -m tf_finetune.config.describe > docs/configuration.md"
    )


def test_tables_of_the_reference_page_have_four_columns():
    rows = [line for line in markdown_page().splitlines() if line.startswith("|")]

    assert len(rows) > len(option_names())
    assert {row.replace("\\|", "").count("|") for row in rows} == {5}


@pytest.mark.parametrize("arguments", [[], ["schema"]])
def test_module_prints_page_and_schema(arguments):
    command = [sys.executable, "-m", "tf_finetune.config.describe", *arguments]
    printed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout

    assert json.loads(printed) == json_schema() if arguments else printed == markdown_page()
