"""Targets of words in one array."""

import numpy as np

from tf_finetune.tasks.tags.word_layout import WordTargets, joined, targets_of_rows

# Two examples, the first of two rows with two words and one, the second of one with none.
TARGETS = targets_of_rows(np.array([3, 1, 2]), np.array([2, 1, 0]), np.array([False, True, False]))


def test_rows_are_filled_up_behind_their_words():
    assert TARGETS.tolist() == [[3, 1, 0], [2, -1, 1], [-1, -1, 0]]
    assert TARGETS.dtype == np.int32


def test_words_examples_and_their_borders_are_found_again():
    words = WordTargets.of(TARGETS)
    assert words.words.tolist() == [3, 1, 2]
    assert words.num_examples == 2
    assert words.offsets.tolist() == [0, 3, 3]


def test_what_was_taken_out_of_an_example_begins_one():
    words = WordTargets.of(TARGETS[1:])
    assert words.num_examples == 2
    assert words.offsets.tolist() == [0, 1, 1]


def test_joined_targets_are_as_wide_as_the_widest():
    wide = targets_of_rows(np.array([5, 6, 7]), np.array([3]), np.array([False]))
    found = joined((TARGETS, wide))
    assert found.tolist() == [[3, 1, -1, 0], [2, -1, -1, 1], [-1, -1, -1, 0], [5, 6, 7, 0]]
