"""The starting configuration loads as it stands, and so does every line it comments out."""

import re

import pytest

from tf_finetune.config.describe import option_names
from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.config.loading import load_config
from tf_finetune.config.starter import starter_yaml
from tf_finetune.options.data import DataConfig

FOUND = {"text_column": "review", "label_column": "6", "format": None}


@pytest.fixture
def load(tmp_path):
    def load_text(text):
        path = tmp_path / "config.yaml"
        path.write_text(text, encoding="utf-8")
        return load_config(path)

    return load_text


def test_starter_is_the_defaults_and_what_was_found(load):
    assert load(starter_yaml("reviews.csv", FOUND)) == ExperimentConfig(
        data=DataConfig(train="reviews.csv", text_column="review", label_column="6")
    )


@pytest.mark.parametrize("train", ["my: file.csv", "null", "#1.csv", 'it\'s "x".csv', "a\nb.csv"])
def test_any_file_name_survives(load, train):
    assert load(starter_yaml(train)).data.train == train


def test_commented_options_show_their_defaults(load):
    text = starter_yaml("reviews.csv", FOUND)
    uncommented = re.sub(r"^  #(?=\w)", "  ", text, flags=re.MULTILINE)
    # Options of another method than the usual one are refused.
    of_methods = uncommented[uncommented.index("\nmethod:") :].split("\n\n")[0]
    foreign = [line for line in of_methods.splitlines() if re.match(r"  (?!name)\w+:", line)]
    for line in foreign:
        uncommented = uncommented.replace(f"{line}\n", "", 1)

    assert uncommented != text
    assert load(uncommented) == load(text)


def test_every_option_is_there_once():
    text = starter_yaml("reviews.csv", FOUND)

    shown = re.findall(r"^  #?(\w+):", text, flags=re.MULTILINE)
    assert sorted(shown) == sorted(name.split(".")[1] for name in option_names())


def test_opening_gives_the_command_for_this_file():
    text = starter_yaml("reviews.csv", path="my config.yaml")

    assert "Run:       tf-finetune train --config 'my config.yaml'\n" in text
    assert "freeze.depth=4" in text.split("\ndata:")[0]


def test_lines_fit_on_a_page():
    assert max(map(len, starter_yaml("reviews.csv", FOUND).splitlines())) <= 100


def test_phases_go_through_the_depths_one_an_epoch(load):
    config = load(starter_yaml("reviews.csv", depths=[0, 1, 2]))

    assert config.freeze.depth == 2
    assert [(p.from_epoch, p.depth) for p in config.freeze.thaw] == [(2, 1), (3, 0)]
    assert config.training.epochs == 3
    assert "    - {from_epoch: 2, depth: 1}\n" in starter_yaml("reviews.csv", depths=[0, 1, 2])
