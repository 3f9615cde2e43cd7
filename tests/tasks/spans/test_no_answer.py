"""The threshold for no answer is the best one, as SQuAD 2.0's script finds it."""

import numpy as np
import pytest

from tf_finetune.tasks.spans.no_answer import best_threshold


def mean_f1(threshold, margins, f1, has_answer):
    answered = margins <= threshold
    return np.where(answered, f1 * has_answer, ~has_answer).mean()


def test_the_threshold_lies_between_the_questions_it_divides():
    margins = np.array([3.0, -5.0, 1.0, -2.0])
    has_answer = np.array([False, True, False, True])

    assert best_threshold(margins, np.array([0, 1, 0, 0.5]), has_answer) == -0.5


def test_where_all_or_none_should_be_answered_the_threshold_is_beyond_them():
    margins = np.array([-1.0, 2.0])

    assert best_threshold(margins, np.array([1.0, 0.5]), np.array([True, True])) == 2.0
    below = best_threshold(margins, np.zeros(2), np.array([False, False]))
    assert below < -1.0
    assert below == pytest.approx(-1.0)


def test_of_thresholds_that_are_as_good_the_lowest_is_taken():
    margins, has_answer = np.array([0.0, 1.0]), np.array([True, False])

    assert best_threshold(margins, np.array([0.0, 0.0]), has_answer) < 0.0


def test_questions_with_equal_margins_are_not_divided():
    margins = np.array([0.0, 0.0, 0.0])
    has_answer = np.array([True, False, False])

    # Answering only the first would be best; all or none are the choices.
    assert best_threshold(margins, np.array([1.0, 0, 0]), has_answer) < 0


def official(margins, f1, has_answer):
    """The best mean F1 of find_best_thresh in the script of SQuAD 2.0."""
    current = best = float((~has_answer).sum())
    for index in np.argsort(margins):
        current += f1[index] if has_answer[index] else -1
        best = max(best, current)
    return best / len(margins)


def test_no_other_threshold_is_better_and_the_mean_is_the_official_one():
    rng = np.random.default_rng(1)
    for _ in range(300):
        size = int(rng.integers(1, 12))
        has_answer = rng.random(size) < 0.5
        f1 = rng.random(size).round(1) * has_answer
        margins = rng.normal(size=size)
        if rng.random() < 0.5:
            margins = margins.round()  # with equal ones
        found = mean_f1(best_threshold(margins, f1, has_answer), margins, f1, has_answer)
        tried = [mean_f1(one, margins, f1, has_answer) for one in (-np.inf, *margins)]
        assert found == pytest.approx(max(tried))
        if len(set(margins)) == size:
            assert found == pytest.approx(official(margins, f1, has_answer))


def test_neighbouring_numbers_are_divided():
    margins = np.array([1.0, np.nextafter(1.0, 2.0)])

    threshold = best_threshold(margins, np.array([1.0, 0.0]), np.array([True, False]))
    assert (margins <= threshold).tolist() == [True, False]


def test_without_questions_there_is_no_threshold():
    with pytest.raises(ValueError, match="without questions"):
        best_threshold(np.zeros(0), np.zeros(0), np.zeros(0, bool))
