"""A word of the command line is a source or a text."""

import pytest

from tf_finetune.sources.recognising import names_a_source


@pytest.mark.parametrize(
    "word",
    [
        *("new.csv", "My Texts.CSV", "texts.parquet", "data/new", "..\\new", "./new"),
        *("tfds:imdb_reviews", "builtin:docstrings", "https://host/x"),
    ],
)
def test_names_of_sources_are_sources_even_if_they_are_missing(word):
    assert names_a_source(word)


@pytest.mark.parametrize(
    "word",
    [
        *("good", "a fine film", "read/write heads are fine", "it costs 1.50", "...", "etc."),
        *("", " ", "x" * 5000, "~nobody-at-all is here", "see a.csv for more", "a\0b"),
    ],
)
def test_other_words_are_texts(word):
    assert not names_a_source(word)


def test_what_is_there_is_a_source(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "good").write_text("x")
    (tmp_path / "a fine folder").mkdir()

    assert names_a_source("good")
    assert names_a_source("a fine folder")
