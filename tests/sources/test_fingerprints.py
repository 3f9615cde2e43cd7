"""When two sources have the same fingerprint and when not."""

import re
import shutil

import pytest

from tf_finetune.options.data import DataConfig
from tf_finetune.sources.fingerprints import fingerprint

_CONFIG = DataConfig(text_column="text", label_column="label")


def with_options(**options) -> DataConfig:
    """The configuration with other options."""
    return _CONFIG.model_copy(update=options)


def test_content_counts_and_place_does_not(write):
    first = fingerprint(_CONFIG, write("a.csv", "text,label\na,b\n"))
    assert re.fullmatch("[0-9a-f]{64}", first)
    assert fingerprint(_CONFIG, write("other/b.csv", "text,label\na,b\n")) == first
    assert fingerprint(_CONFIG, write("a.csv", "text,label\na,c\n")) != first


@pytest.mark.parametrize(
    "options",
    [
        {"text_column": "label", "label_column": "text"},
        {"text_pair_column": "other"},
        {"delimiter": ";"},
        {"quoting": "none"},
        {"encoding": "latin-1"},
        {"header": False},
        {"extra_columns": "ignore"},
        {"label_separator": ";"},
        {"task": "regression"},
        {"format": "tsv"},
    ],
)
def test_options_that_change_the_reading_count(write, options):
    path = write("a.csv", "text,label\na,b\n")
    assert fingerprint(with_options(**options), path) != fingerprint(_CONFIG, path)


@pytest.mark.parametrize(
    "options",
    [
        {"delimiter": ","},
        {"quoting": "standard"},
        {"format": "csv"},
        {"task": "single_label"},
        {"max_length": 64},
        {"train": "elsewhere.csv"},
    ],
)
def test_options_that_do_not_change_the_reading_do_not_count(write, options):
    path = write("a.csv", "text,label\na,b\n")
    assert fingerprint(with_options(**options), path) == fingerprint(_CONFIG, path)


def test_delimiter_does_not_count_for_json_lines(write):
    path = write("a.jsonl", '{"text": "a", "label": "b"}\n')
    assert fingerprint(with_options(delimiter=";"), path) == fingerprint(_CONFIG, path)


def test_folder_counts_names_and_content_of_its_files(write, tmp_path):
    write("data/pos/1.txt", "one")
    folder = str(tmp_path / "data")
    first = fingerprint(_CONFIG, folder)
    shutil.copytree(folder, tmp_path / "copy")
    assert fingerprint(_CONFIG, str(tmp_path / "copy")) == first
    shutil.move(tmp_path / "data" / "pos", tmp_path / "data" / "neg")
    assert fingerprint(_CONFIG, folder) != first
