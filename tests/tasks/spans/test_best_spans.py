"""The likeliest spans are those that trying all of them finds."""

import numpy as np
import pytest

from tf_finetune.tasks.spans.best_spans import WindowScores, best_spans


def windows(*given):
    """Windows, each as example, first token, starts, ends and perhaps a score of no answer."""
    offsets = np.concatenate([[0], np.cumsum([len(one[2]) for one in given])])
    return WindowScores(
        np.array([one[0] for one in given]),
        np.array([one[1] for one in given]),
        offsets,
        np.concatenate([one[2] for one in given]).astype(np.float32),
        np.concatenate([one[3] for one in given]).astype(np.float32),
        np.array([one[4] for one in given], np.float32) if len(given[0]) == 5 else None,
    )


def spans(found, example=0):
    return list(zip(found.start[example].tolist(), found.end[example].tolist(), strict=True))


def test_spans_are_worked_out_by_hand():
    found = best_spans(windows((0, 0, [1, 3, 0], [0, 1, 2], 2.0)), 4, 2)

    # Tokens 1 to 2 score 5, token 1 alone 4, tokens 0 to 1 and token 2 alone 2.
    assert spans(found) == [(1, 3), (1, 2), (0, 2), (2, 3)]
    assert found.score[0].tolist() == [5, 4, 2, 2]
    total = np.exp([5, 4, 2, 2, 1]).sum() + np.exp(2)  # token 0 alone scores 1
    np.testing.assert_allclose(found.probability[0], np.exp([5, 4, 2, 2]) / total)
    np.testing.assert_allclose(found.null_probability, np.exp(2) / total)
    assert found.null_margin.tolist() == [-3]
    assert found.chosen().tolist() == [[1, 3]]
    assert found.chosen(threshold=-3.5).tolist() == [[-1, -1]]
    assert found.chosen(threshold=-3.0).tolist() == [[1, 3]]


def test_no_span_ends_before_it_starts_or_is_too_long():
    # By themselves the best start is the last token and the best end the first.
    found = best_spans(windows((0, 0, [0, 0, 9], [9, 0, 0])), 6, 2)

    assert set(spans(found)) == {(0, 1), (1, 2), (2, 3), (0, 2), (1, 3), (-1, -1)}
    assert found.score[0, :2].tolist() == [9, 9]
    assert found.score[0, 5] == -np.inf
    assert (found.probability[0, 5], found.null_probability[0]) == (0, 0)
    assert found.probability[0].sum() == pytest.approx(1)


def test_a_span_in_two_windows_is_counted_once_with_its_better_score():
    one = (0, 0, [1.0, 2.0, 0.5], [0.0, 1.0, 3.0], 7.0)
    two = (0, 1, [4.0, 0.25, -1.0], [1.5, 2.0, 0.0], 4.0)
    found = best_spans(windows(one, two), 50, 3)

    # Tokens 1 and 2 are in both: 1 alone 3 and 5.5, both 5 and 6, 2 alone 3.5 and 2.25. Beyond
    # the windows' borders goes nothing: tokens 0 to 3 are in neither.
    expected = {
        (0, 1): 1.0,
        (0, 2): 2.0,
        (0, 3): 4.0,
        (1, 2): 5.5,
        (1, 3): 6.0,
        (1, 4): 4.0,
        (2, 3): 3.5,
        (2, 4): 0.25,
        (3, 4): -1.0,
    }
    kept = np.isfinite(found.score[0])
    assert dict(zip(spans(found)[:9], found.score[0, kept].tolist(), strict=True)) == expected
    assert found.null_score.tolist() == [4.0]  # the lowest: another window may hold the answer
    assert found.probability.sum() + found.null_probability.sum() == pytest.approx(1)


def test_examples_do_not_mix():
    one, two = (0, 0, [1, 2], [3, 0], 1.0), (1, 0, [5], [0], 9.0)
    alone = [best_spans(windows((0, *window[1:])), 3, 2) for window in (one, two)]
    both = best_spans(windows(one, two), 3, 2)

    for field, (first, second) in zip(both, zip(*alone, strict=True), strict=True):
        np.testing.assert_array_equal(field, np.concatenate([first, second]))


def test_of_equal_spans_the_first_and_then_the_shorter_comes_first():
    found = best_spans(windows((0, 0, [0] * 50, [0] * 50)), 4, 3)

    assert spans(found) == [(0, 1), (0, 2), (0, 3), (1, 2)]


def test_random_windows_give_what_trying_every_span_gives():
    rng = np.random.default_rng(5)
    for _ in range(200):
        given = []
        for first in np.cumsum(rng.integers(0, 4, size=rng.integers(1, 4))):
            size = rng.integers(1, 8)
            scores = rng.normal(size=(2, size)).astype(np.float32)
            given.append((0, int(first), *scores, np.float32(rng.normal())))
        longest, count = int(rng.integers(1, 9)), int(rng.integers(1, 6))
        tried = {}
        for _, first, start, end, _ in given:
            for one in range(len(start)):
                for last in range(one, min(one + longest, len(start))):
                    place = first + one, first + last + 1
                    score = float(start[one]) + float(end[last])
                    tried[place] = max(score, tried.get(place, -np.inf))
        found = best_spans(windows(*given), count, longest)
        best = sorted(tried, key=lambda place: -tried[place])[:count]
        assert spans(found)[: len(best)] == best
        null = float(min(one[4] for one in given))
        total = sum(np.exp(list(tried.values()))) + np.exp(null)
        np.testing.assert_allclose(found.null_probability, np.exp(null) / total)
        chances = [np.exp(tried[place]) / total for place in best]
        np.testing.assert_allclose(found.probability[0, : len(best)], chances)


def test_huge_scores_have_probabilities():
    found = best_spans(windows((0, 0, [1e4, 0], [1e4, 0], -1e4)), 2, 2)

    assert found.probability[0].tolist() == [1.0, 0.0]
    assert found.null_probability.tolist() == [0.0]


def test_an_example_without_a_window_and_a_window_without_a_token_are_refused():
    for wrong in (windows((0, 0, [1], [1]), (2, 0, [1], [1])), windows((0, 0, [], []))):
        with pytest.raises(ValueError, match="needs a window"):
            best_spans(wrong, 1, 1)


def test_no_examples_have_no_spans():
    none = np.zeros(0)
    found = best_spans(WindowScores(none, none, np.zeros(1, int), none, none), 3, 2)

    assert found.start.shape == (0, 3)
