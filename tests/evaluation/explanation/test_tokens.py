"""Pieces are merged into words that do not overlap."""

import numpy as np
import pytest

from tf_finetune.evaluation.explanation.tokens import PlacedTokens, merge_words, place_tokens
from tf_finetune.evaluation.explanation.word_borders import is_border


def placed(sequences, words, spans):
    n = len(sequences)
    zeros = np.zeros(n, np.int32)
    return PlacedTokens(zeros, zeros, zeros, [f"t{i}" for i in range(n)], sequences, words, spans)


def test_words_of_each_text_are_merged_apart():
    tokens = placed(
        [None, 0, 0, 0, None, 1, None],
        [None, 0, 0, 1, None, 0, None],
        [(0, 0), (0, 2), (2, 4), (5, 8), (0, 0), (0, 3), (0, 0)],
    )
    attributions = [9.0, 1.0, 2.0, -0.5, 9.0, 0.25, 9.0]

    first, second = merge_words(tokens, attributions, 0, "abcd efg")
    (of_the_pair,) = merge_words(tokens, attributions, 1, "xyz")

    assert (first.text, first.attribution, len(first.pieces)) == ("abcd", 3.0, 2)
    assert (second.text, second.start, second.end, second.attribution) == ("efg", 5, 8, -0.5)
    assert (of_the_pair.text, of_the_pair.attribution) == ("xyz", 0.25)


def test_words_that_come_of_one_character_are_one_word():
    tokens = placed([0, 0, 0], [0, 1, 2], [(0, 1), (0, 1), (1, 2)])

    first, second = merge_words(tokens, [1.0, 1.0, 5.0], 0, "½x")

    assert (first.text, first.attribution) == ("½", 2.0)
    assert (second.text, second.attribution) == ("x", 5.0)


def words_of(tokenizer, text):
    tokens = place_tokens(tokenizer, text, None, 64)
    found = merge_words(tokens, [1.0] * len(tokens.tokens), 0, text)
    assert all(text[word.start : word.end] == word.text for word in found)
    return [word.text for word in found]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        # The vocabulary has pieces for "film", "very good" and the rest by characters.
        ("这部电影很好。", ["这", "部", "电影", "很好", "。"]),
        ("film 很好, the film", ["film", "很好", ",", "the", "film"]),
        ("the film was filming", ["the", "film", "was", "filming"]),
        ("good. dull, 3.5 good", ["good", ".", "dull", ",", "3.5", "good"]),
    ],
)
def test_words_are_what_a_reader_sees(text, words, unigram_tokenizer):
    assert words_of(unigram_tokenizer, text) == words


def test_characters_of_several_pieces_are_whole(byte_level_tokenizer):
    assert words_of(byte_level_tokenizer, "很好 was good") == ["很", "好", "was", "good"]


@pytest.mark.parametrize(
    ("text", "place", "ends"),
    [
        ("ดี", 1, False),  # a vowel sign
        ("カメラ", 1, False),
        ("カメラは", 3, True),
        ("don't", 3, False),
        ("e-mail", 2, False),
        ("end.", 3, True),
        ("a", 0, False),
        ("a", 1, False),
    ],
)
def test_borders_of_words(text, place, ends):
    assert is_border(text, place) is ends
