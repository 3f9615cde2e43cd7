"""The penalty of a head is chosen by answers to examples that no head has learned from."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from tf_finetune.tasks.classes import Classes
from tf_finetune.tasks.values import Values
from tf_finetune.training import head_choice
from tf_finetune.training.head_choice import choose_penalty, inner_folds
from tf_finetune.training.head_path import HeadProblem
from tf_finetune.training.head_vectors import HeadVectors

RNG = np.random.default_rng(0)
TWO = Classes(("a", "b"))


def problem_of(vectors, targets, labels=TWO):
    weights = np.ones(len(targets), np.float32)
    vectors = HeadVectors(vectors.astype(np.float32))
    return HeadProblem(vectors, targets, weights, labels, scale=labels.scale(targets))


def of_noise(count=40, width=60):
    """More features than examples, and labels that none of them has to do with."""
    return problem_of(RNG.normal(size=(count, width)), np.arange(count, dtype=np.int32) % 2)


def of_a_rule(count=400):
    """Two features that decide, of three."""
    vectors = RNG.normal(size=(count, 3))
    return problem_of(vectors, (vectors[:, 0] > vectors[:, 1]).astype(np.int32))


def folds_of(problem):
    return np.arange(len(problem.targets)) // 2 % 5


def test_what_can_only_be_learned_by_heart_gets_the_largest_penalty():
    problem = of_noise()

    choice = choose_penalty(problem, folds_of(problem), 0.01)

    assert choice.penalty == pytest.approx(1.0)
    # A head that had seen the examples it answers would be right about all of them.
    assert min(score["loss"] for score in choice.scores) > 0.65


def test_a_rule_gets_a_small_penalty():
    problem = of_a_rule()

    choice = choose_penalty(problem, folds_of(problem), 0.01)

    assert choice.penalty < 1e-3
    assert choice.score["accuracy"] > 0.97
    assert choice.score["loss"] == min(score["loss"] for score in choice.scores)
    assert TWO.score(problem.targets[choice.asked], choice.answers) == choice.score
    assert (len(choice.asked), choice.folds) == (400, 5)


def test_the_path_ends_where_two_in_a_row_are_worse():
    problem = of_noise()

    choice = choose_penalty(problem, folds_of(problem), 0.01)

    assert choice.best == 0
    np.testing.assert_allclose(choice.penalties, [1.0, 0.316228, 0.1], rtol=1e-5)
    assert len(choice.scores) == 3


def test_folds_are_left_out_where_enough_examples_are_answered(monkeypatch):
    problem, solved = of_a_rule(), []
    solve_path = head_choice.solve_path

    def counted(one, *rest):
        solved.append(int((one.weights == 0).sum()))
        return solve_path(one, *rest)

    monkeypatch.setattr(head_choice, "solve_path", counted)
    choose_penalty(problem, folds_of(problem), 0.01)
    assert solved == [80] * 5
    solved.clear()
    monkeypatch.setattr(head_choice, "_ENOUGH_ANSWERS", 160)
    choice = choose_penalty(problem, folds_of(problem), 0.01)

    assert solved == [80] * 2
    np.testing.assert_array_equal(choice.asked, np.flatnonzero(folds_of(problem) < 2))
    assert (len(choice.answers), choice.folds) == (160, 2)


def test_numbers_are_answered_in_their_own_units():
    vectors = RNG.normal(size=(200, 3))
    targets = (1e6 + 1e4 * vectors[:, 0]).astype(np.float32)
    problem = problem_of(vectors, targets, Values())

    choice = choose_penalty(problem, folds_of(problem), 0.01)

    assert choice.penalty < 0.01
    assert choice.score["loss"] < 1e-3 * targets.var()


def test_equal_texts_are_in_one_fold_and_classes_in_all():
    hashes = np.repeat(np.arange(50, dtype=np.uint64), 2)
    store = SimpleNamespace(text_hashes=hashes)
    labels = (np.arange(100) // 2 % 2).astype(np.int32)
    train = SimpleNamespace(store=store, rows=np.arange(100), labels=labels)

    folds = inner_folds(train, TWO)

    assert (folds[::2] == folds[1::2]).all()
    counts = np.array([np.bincount(labels[folds == fold]) for fold in range(5)])
    assert counts.min() >= 8
    np.testing.assert_array_equal(folds, inner_folds(train, TWO))
    few = SimpleNamespace(store=store, rows=np.arange(6), labels=labels[:6])
    assert sorted(set(inner_folds(few, TWO))) == [0, 1, 2]


def test_weights_count_in_training_and_not_in_the_choice():
    problem = of_a_rule(100)
    folds = folds_of(problem)

    heavy = replace(problem, weights=7 * problem.weights)

    one, other = (choose_penalty(p, folds, 0.01) for p in (problem, heavy))
    assert one.penalties == other.penalties
    assert one.score["loss"] == pytest.approx(other.score["loss"], rel=1e-3)
