"""Long texts are cut so that each word is answered by exactly one window."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tf_finetune.tasks.tags.windows import NOTHING, first_pieces, windows


def test_first_piece_is_the_first_token_that_shares_a_character_with_the_word():
    words = [(0, 4), (5, 9)]
    offsets = np.array([(0, 2), (2, 4), (5, 7), (7, 9)])
    assert first_pieces(words, offsets).tolist() == [0, 2]


def test_a_token_that_begins_with_the_space_before_its_word_is_its_first_piece():
    assert first_pieces([(0, 4), (5, 9)], np.array([(0, 4), (4, 9)])).tolist() == [0, 1]


def test_words_in_one_token_share_it():
    assert first_pieces([(0, 1), (1, 2)], np.array([(0, 2)])).tolist() == [0, 0]


def test_a_word_without_a_token_has_nothing():
    offsets = np.array([(0, 1), (4, 5)])
    assert first_pieces([(0, 1), (2, 3), (4, 5), (6, 7)], offsets).tolist() == [0, -1, 1, -1]
    assert first_pieces([(0, 1)], np.zeros((0, 2), np.int64)).tolist() == [NOTHING]
    assert first_pieces([], offsets).tolist() == []


def test_a_text_with_room_is_one_window():
    assert windows(np.array([0, 2, 3]), 5, 5) == [((0, 5), (0, 3))]
    assert windows(np.zeros(0, np.int64), 0, 5) == [((0, 0), (0, 0))]


def test_windows_overlap_and_share_the_words_between_them():
    # Twelve words of one token each, eight to a window: two overlap, of which each gets one.
    found = windows(np.arange(12), 12, 8)
    assert [window.tokens for window in found] == [(0, 8), (6, 12)]
    assert [window.words for window in found] == [(0, 7), (7, 12)]


def test_windows_begin_and_end_with_whole_words():
    pieces = np.array([0, 3, 6, 9])  # four words of three tokens
    found = windows(pieces, 12, 8)
    assert [window.tokens for window in found] == [(0, 6), (6, 12)]


def test_a_word_longer_than_a_window_is_cut_and_answered_once():
    found = windows(np.array([0, 1, 11]), 12, 4)
    assert [window.tokens for window in found] == [(0, 1), (1, 5), (11, 12)]
    assert [window.words for window in found] == [(0, 1), (1, 2), (2, 3)]


@given(
    lengths=st.lists(st.integers(0, 9), min_size=1, max_size=60),
    room=st.integers(1, 24),
)
def test_every_word_is_answered_once_by_a_window_that_holds_its_first_piece(lengths, room):
    ends = np.cumsum(lengths)
    pieces = np.where(np.array(lengths) > 0, ends - lengths, NOTHING)
    found = windows(pieces, int(ends[-1]), room)
    answered = [word for window in found for word in range(*window.words)]
    assert answered == list(range(len(lengths)))
    for (begin, end), (first, after) in found:
        assert end - begin <= room
        for piece in pieces[first:after]:
            assert piece == NOTHING or begin <= piece < end


def test_a_word_inside_a_long_text_has_context_on_both_sides():
    found = windows(np.arange(1000), 1000, 64)
    for (begin, end), (first, after) in found[1:-1]:
        assert first - begin >= 7
        assert end - after >= 7


@pytest.mark.parametrize("room", [1, 2, 3])
def test_windows_of_a_few_tokens_come_to_an_end(room):
    assert [window.words for window in windows(np.arange(5), 5, room)][-1][1] == 5
