"""Labels that confident answers speak against are suspect, and their number is estimated."""

import numpy as np
import pytest

from tf_finetune.evaluation.label_errors import find_label_errors


def test_a_confident_answer_of_another_class_makes_a_label_suspect():
    # The mean of the probability of class 0 over its texts is 0.6, of class 1 over its 0.8.
    targets = np.array([0, 0, 0, 1, 1])
    of_one = np.array([0.1, 0.2, 0.9, 0.9, 0.7])

    found = find_label_errors(targets, np.stack([1 - of_one, of_one], axis=1))

    assert found.places.tolist() == [2]
    assert found.suggested.tolist() == [1]
    # The last text is confidently neither: 0.3 is below 0.6, and 0.7 below 0.8.
    assert found.confident.tolist() == [[2, 1], [0, 1]]
    assert found.estimated == pytest.approx(3 * 1 / 3)


def test_a_class_that_answers_are_never_sure_of_is_forgiven():
    targets = np.array([0, 0, 0, 1, 1, 1])
    of_one = np.array([0.05, 0.05, 0.05, 0.3, 0.4, 0.2])

    found = find_label_errors(targets, np.stack([1 - of_one, of_one], axis=1))

    # 0.3 and 0.4 are confident of class 1, though class 0 is likelier; 0.8 is not enough for it.
    assert found.places.tolist() == []
    assert found.confident.tolist() == [[3, 0], [0, 2]]


def test_a_label_that_is_likelier_all_the_same_counts_but_is_not_suspect():
    # Of class 1 no answer is sure, so 0.4 is confident of it; its own label has 0.6.
    targets = np.array([0, 0, 0, 0, 1, 1])
    of_one = np.array([0.05, 0.05, 0.05, 0.4, 0.3, 0.5])

    found = find_label_errors(targets, np.stack([1 - of_one, of_one], axis=1))

    assert found.places.tolist() == []
    assert found.confident[0].tolist() == [3, 1]
    assert found.estimated == pytest.approx(1)


def test_the_surest_stand_first():
    targets = np.array([0] * 6 + [1] * 6)
    of_one = np.array([0.1, 0.1, 0.1, 0.1, 0.8, 0.95, 0.9, 0.9, 0.9, 0.9, 0.2, 0.15])

    found = find_label_errors(targets, np.stack([1 - of_one, of_one], axis=1))

    assert found.places.tolist() == [5, 11, 4, 10]
    assert found.suggested.tolist() == [1, 0, 1, 0]
    assert found.estimated == pytest.approx(4)


def test_a_class_without_texts_is_never_suggested():
    targets = np.array([0, 0, 1, 1])
    probabilities = np.array([[0.1, 0.1, 0.8], [0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.1, 0.8, 0.1]])

    found = find_label_errors(targets, probabilities)

    assert 2 not in found.suggested
    assert found.confident[:, 2].sum() == 0


def test_planted_errors_are_found_and_counted():
    rng = np.random.default_rng(0)
    right = rng.integers(3, size=3000)
    scores = rng.standard_normal((3000, 3)) + 5 * np.eye(3)[right]
    probabilities = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    planted = rng.choice(3000, 300, replace=False)
    targets = right.copy()
    targets[planted] = (right[planted] + 1) % 3

    found = find_label_errors(targets, probabilities)

    hits = np.isin(found.places, planted)
    assert hits.mean() > 0.9 and hits.sum() > 250
    assert hits[:100].all()
    assert found.estimated == pytest.approx(300, rel=0.15)
