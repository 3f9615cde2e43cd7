"""Pieces are merged into words that do not overlap."""

import numpy as np

from tf_finetune.evaluation.explanation.tokens import PlacedTokens, merge_words


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
