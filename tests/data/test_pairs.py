"""Pairs of texts are drawn evenly, and each step's are a function of seed and step."""

import numpy as np

from tf_finetune.data.pairs import PairDraws

LABELS = np.array([0, 1, 0, 2, 1, 0, 1, 1, 2, 0], np.int32)


def pairs_of(draws, steps, count):
    return np.concatenate([draws.of_step(step, count) for step in range(steps)]).reshape(-1, 2)


def test_every_second_pair_is_of_one_label_and_no_text_meets_itself():
    pairs = pairs_of(PairDraws(LABELS, seed=3), steps=25, count=8)
    same = LABELS[pairs[:, 0]] == LABELS[pairs[:, 1]]
    assert same.tolist() == [True, False] * 100
    assert (pairs[:, 0] != pairs[:, 1]).all()


def test_each_text_begins_as_many_pairs_of_each_kind():
    pairs = pairs_of(PairDraws(LABELS, seed=0), steps=15, count=8)
    for kind in (0, 1):
        assert np.bincount(pairs[kind::2, 0], minlength=10).tolist() == [6] * 10


def test_partners_are_drawn_evenly():
    pairs = pairs_of(PairDraws(LABELS, seed=0), steps=500, count=20)
    of_first = pairs[pairs[:, 0] == 2]
    alike = np.bincount(of_first[::2, 1], minlength=10)
    met = np.bincount(of_first[:, 1], minlength=10)
    assert set(np.flatnonzero(met)) == set(range(10)) - {2}
    unlike = met[LABELS != 0]
    # 500 draws of each kind, over 3 and over 6 texts.
    assert alike.sum() == 500
    assert abs(met[LABELS == 0].sum() - 500) == 0
    assert unlike.min() > 50
    assert unlike.max() < 120


def test_a_step_draws_the_same_whatever_was_drawn_before():
    one, other = PairDraws(LABELS, seed=5), PairDraws(LABELS, seed=5)
    later = one.of_step(7, 6)
    other.of_step(0, 6)
    assert other.of_step(7, 6).tolist() == later.tolist()
    assert PairDraws(LABELS, seed=6).of_step(7, 6).tolist() != later.tolist()


def test_a_text_alone_with_its_label_is_its_own_partner():
    pairs = pairs_of(PairDraws(np.array([0, 1, 1]), seed=0), steps=3, count=4)
    assert (pairs[::2][pairs[::2, 0] == 0, 1] == 0).all()
    assert (pairs[1::2][pairs[1::2, 0] == 0, 1] > 0).all()


def test_lists_of_classes_are_one_label_where_they_are_equal():
    several = np.array([[1, 0], [1, 1], [1, 0], [0, 1]], np.int32)
    pairs = pairs_of(PairDraws(several, seed=0), steps=10, count=4)
    begun = pairs[::2]
    assert {tuple(pair) for pair in begun} == {(0, 2), (2, 0), (1, 1), (3, 3)}
