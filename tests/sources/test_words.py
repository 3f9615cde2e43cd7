"""How a text is cut into words."""

import time

import pytest

from tf_finetune.sources.words import join_words, words_between, words_of


def cut(text):
    return [text[start:end] for start, end in words_of(text)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Anna lives in Rome.", ["Anna", "lives", "in", "Rome", "."]),
        ("it's  3.5 €", ["it", "'", "s", "3", ".", "5", "€"]),
        ("user_name @x #y", ["user", "_", "name", "@", "x", "#", "y"]),
        ("我爱北京2008", ["我", "爱", "北", "京", "2008"]),
        ("ひらカナー。", ["ひ", "ら", "カ", "ナ", "ー", "。"]),
        ("naïve", ["naïve"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("서울에 간다", ["서울에", "간다"]),
        ("👍🏽 a\u200bb", ["👍", "🏽", "a\u200bb"]),
        ("\u3000 \t\n", []),
        ("", []),
    ],
)
def test_letters_run_together_and_signs_and_ideographs_stand_alone(text, words):
    assert cut(text) == words


def test_offsets_count_characters():
    assert words_of("é 我b") == ((0, 1), (2, 3), (3, 4))


def test_borders_cut_a_word_that_goes_over_them():
    assert words_between("Parisian food", [0, 5]) == ((0, 5), (5, 8), (9, 13))
    assert words_between("abc", [1, 2, 2]) == ((0, 1), (1, 2), (2, 3))
    assert words_between("ab cd", [0, 2, 3, 5, 9]) == ((0, 2), (3, 5))


def test_given_words_are_joined_with_one_space():
    assert join_words(["New York", "is", "我"]) == ("New York is 我", ((0, 8), (9, 11), (12, 13)))


def test_a_long_document_is_cut_quickly():
    started = time.monotonic()
    assert len(words_of("word, 我 " * 50_000)) == 150_000
    assert time.monotonic() - started < 2
