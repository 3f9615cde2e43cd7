"""A head at its optimum, against formulas of the textbook and by hand; no model is needed."""

import itertools

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from tf_finetune.tasks.classes import Classes
from tf_finetune.tasks.output_scale import OutputScale
from tf_finetune.tasks.several_classes import SeveralClasses
from tf_finetune.tasks.values import Values
from tf_finetune.training import head_vectors
from tf_finetune.training.head_path import (
    LEAST_PENALTY,
    HeadProblem,
    penalties_for,
    solve_path,
)
from tf_finetune.training.head_vectors import HeadVectors

RNG = np.random.default_rng(0)
# Correlated features of very different sizes and places, as an encoder's are.
VECTORS = RNG.normal(size=(300, 8)) @ RNG.normal(size=(8, 8)) * np.logspace(-2, 2, 8) + 5.0
VECTORS = VECTORS.astype(np.float32)
SCORES = (VECTORS - VECTORS.mean(0)) / VECTORS.std(0) @ RNG.normal(size=(8, 3))
CLASSES = (SCORES + RNG.normal(size=(300, 3))).argmax(axis=1).astype(np.int32)
SETS = (SCORES + RNG.normal(size=(300, 3)) > 0).astype(np.float32)
NUMBERS = (1e6 + 1e4 * SCORES[:, 0]).astype(np.float32)
NAMES = ("a", "b", "c")
ONES = np.ones(300, np.float32)
WEIGHTS = RNG.uniform(0.5, 3.0, 300).astype(np.float32)


def problem_of(labels, targets, weights=ONES, smoothing=0.0, vectors=VECTORS):
    scale = labels.scale(targets)
    return HeadProblem(HeadVectors(vectors), targets, weights, labels, smoothing, scale)


def solve(problem, *penalties):
    return list(solve_path(problem, penalties))


PROBLEMS = {
    "classes": problem_of(Classes(NAMES), CLASSES),
    "weighted, smoothed classes": problem_of(Classes(NAMES), CLASSES, WEIGHTS, 0.2),
    "sets": problem_of(SeveralClasses(NAMES), SETS, WEIGHTS, 0.1),
    "numbers": problem_of(Values(), NUMBERS),
}


@pytest.mark.parametrize("name", PROBLEMS)
def test_nothing_near_a_solution_is_better(name):
    problem, penalty = PROBLEMS[name], 0.03
    (solved,) = solve(problem, penalty)
    deviation = problem.scale.deviation if problem.scale else 1.0
    mean = problem.scale.mean if problem.scale else 0.0
    kernel, bias = solved.kernel.astype(np.float64), solved.bias.astype(np.float64)

    def objective(kernel, bias):
        # Of the vectors as they are: what a float32 model would give, up to its rounding.
        logits = (VECTORS.astype(np.float64) @ kernel + bias) * deviation + mean
        losses, _ = problem.labels.losses_and_slopes(
            problem.targets, logits, problem.label_smoothing, deviation
        )
        standardised = kernel * VECTORS.astype(np.float64).std(axis=0)[:, None]
        weights = problem.weights.astype(np.float64)
        return weights @ losses / weights.sum() + penalty / 2 * np.square(standardised).sum()

    least = objective(kernel, bias)
    assert least == pytest.approx(solved.objective, rel=1e-5)
    assert solved.is_solved
    step = 1e-2 / VECTORS.std(axis=0, dtype=np.float64)
    for feature, output in itertools.product(range(8), range(kernel.shape[1])):
        moved = np.zeros_like(kernel)
        moved[feature, output] = step[feature]
        aside = -moved[feature] * VECTORS[:, feature].mean(dtype=np.float64)
        # A step to either side costs the same but for the third order: the slope is 0.
        up, down = objective(kernel + moved, bias + aside), objective(kernel - moved, bias - aside)
        assert up > least and down > least
        assert abs(up - down) < 0.05 * (up + down - 2 * least)


def test_a_ridge_by_hand():
    # Features -1, 0, 1 times sqrt(3/2) have deviation 1. With targets 0, 3, 6 (standardised:
    # the same numbers) (w - 1)^2 + p/2 w^2 is least at w = 2 / (2 + p).
    vectors = np.array([[1.0], [2.0], [3.0]], np.float32)
    problem = problem_of(Values(), np.array([0, 3, 6], np.float32), ONES[:3], vectors=vectors)

    for penalty, solved in zip((2.0, 1.0, 0.5), solve(problem, 2.0, 1.0, 0.5), strict=True):
        slope = 2 / (2 + penalty) / np.sqrt(2 / 3)
        np.testing.assert_allclose(solved.kernel, [[slope]], rtol=1e-6)
        np.testing.assert_allclose(solved.bias, [-2 * slope], rtol=1e-6)
        assert solved.loss == pytest.approx((penalty / (2 + penalty)) ** 2)


def test_a_ridge_without_a_bias_by_hand():
    # Divided by their size, features are 1, 2, 3 times sqrt(3/14) and targets 0, 3, 6 times
    # sqrt(1/15): (x w - y)^2 + p/2 w^2 is least at the mean of x y times 2 / (2 + p).
    vectors, targets = np.array([[1.0], [2.0], [3.0]], np.float32), np.array([0, 3, 6], np.float32)
    scale = Values().scale(targets, centred=False)
    found = HeadVectors(vectors, centred=False)
    problem = HeadProblem(found, targets, ONES[:3], Values(), 0.0, scale, has_bias=False)

    for penalty, solved in zip((2.0, 0.5), solve(problem, 2.0, 0.5), strict=True):
        along = 2 / (2 + penalty) * 8 / np.sqrt(14 / 3 * 15)
        np.testing.assert_allclose(solved.kernel, [[along / np.sqrt(14 / 3)]], rtol=1e-6)
        assert solved.bias == [0.0]


def test_without_a_bias_what_is_the_same_in_all_texts_is_one():
    same = np.concatenate([VECTORS, np.full((300, 1), 3.0, np.float32)], axis=1)
    found = HeadVectors(same, centred=False)
    problem = HeadProblem(found, CLASSES, ONES, Classes(NAMES), has_bias=False)

    (solved,) = solve(problem, 1e-3)

    assert not solved.bias.any()
    assert np.abs(solved.kernel[-1]).max() > 0.1


def test_classes_are_those_of_a_logistic_regression():
    standardised = HeadVectors(VECTORS)
    features = (VECTORS - standardised.mean) * standardised.inverse_deviation
    (solved,) = solve(PROBLEMS["classes"], 0.01)

    expected = LogisticRegression(C=1 / (0.01 * 300), tol=1e-8, max_iter=1000)
    expected.fit(features, CLASSES)

    logits = VECTORS.astype(np.float64) @ solved.kernel + solved.bias
    logits -= logits.mean(axis=1, keepdims=True)  # what is added to all says nothing
    np.testing.assert_allclose(logits, expected.decision_function(features), atol=1e-3)


@pytest.mark.parametrize("name", PROBLEMS)
def test_a_smaller_penalty_never_fits_worse(name):
    path = solve(PROBLEMS[name], *penalties_for(0.01))

    losses = [solved.loss for solved in path]
    assert losses == sorted(losses, reverse=True)
    assert all(solved.is_solved for solved in path)


@pytest.mark.parametrize("name", PROBLEMS)
def test_where_a_path_begins_does_not_matter(name):
    *_, after_others = solve(PROBLEMS[name], 1.0, 0.1, 0.01)
    (alone,) = solve(PROBLEMS[name], 0.01)

    scale = np.abs(alone.kernel).max(axis=1, keepdims=True)
    np.testing.assert_allclose(after_others.kernel / scale, alone.kernel / scale, atol=1e-4)


def test_solved_twice_it_is_the_same_bit_for_bit():
    first, second = (solve(problem_of(Classes(NAMES), CLASSES), 0.1)[0] for _ in range(2))

    np.testing.assert_array_equal(first.kernel, second.kernel)
    np.testing.assert_array_equal(first.bias, second.bias)


def test_the_order_of_the_texts_does_not_matter_but_for_rounding():
    order = RNG.permutation(300)
    (first,) = solve(PROBLEMS["classes"], 0.1)
    (second,) = solve(problem_of(Classes(NAMES), CLASSES[order], vectors=VECTORS[order]), 0.1)

    scale = np.abs(first.kernel).max(axis=1, keepdims=True)
    np.testing.assert_allclose(first.kernel / scale, second.kernel / scale, atol=1e-5)


def test_vectors_that_are_not_kept_give_the_same(monkeypatch):
    (kept,) = solve(PROBLEMS["sets"], 0.1)
    monkeypatch.setattr(head_vectors, "_KEPT_BYTES", 0)
    monkeypatch.setattr(head_vectors, "_BLOCK_ROWS", 77)

    (made_anew,) = solve(problem_of(SeveralClasses(NAMES), SETS, WEIGHTS, 0.1), 0.1)

    scale = np.abs(kept.kernel).max(axis=1, keepdims=True)
    np.testing.assert_allclose(kept.kernel / scale, made_anew.kernel / scale, atol=1e-5)


@pytest.mark.parametrize(
    ("labels", "targets", "vectors"),
    [
        (Classes(NAMES), np.minimum(CLASSES, 1), VECTORS),  # no text of the third class
        (Classes(NAMES), np.ones(300, np.int32), VECTORS),  # of one class alone
        (Classes(NAMES), CLASSES, np.eye(300, dtype=np.float32)),  # a plane parts the classes
        (SeveralClasses(NAMES), np.tile([1.0, 0.0, 1.0], (300, 1)), VECTORS),  # in all, in none
        (Values(), NUMBERS, VECTORS[:, :1] * 0 + np.float32(0.1)),  # nothing differs
        (Values(), np.float32(1e30) * SCORES[:, 0].astype(np.float32), VECTORS),
    ],
)
def test_what_has_no_optimum_or_no_information_is_finite(labels, targets, vectors):
    path = solve(problem_of(labels, targets, vectors=vectors), 0.1, LEAST_PENALTY)

    for solved in path:
        assert np.isfinite(solved.kernel).all() and np.isfinite(solved.bias).all()
        assert solved.is_solved
        logits = vectors @ solved.kernel + solved.bias
        assert np.isfinite(logits).all()


def test_a_class_that_no_text_has_is_never_the_answer():
    (solved,) = solve(problem_of(Classes(NAMES), np.minimum(CLASSES, 1)), 0.1)

    assert set((VECTORS @ solved.kernel + solved.bias).argmax(axis=1)) == {0, 1}


def test_fewer_texts_than_features_are_fitted():
    vectors = RNG.normal(size=(6, 40)).astype(np.float32)
    targets = np.array([0, 1, 0, 1, 1, 0], np.int32)
    (solved,) = solve(problem_of(Classes(("a", "b")), targets, ONES[:6], vectors=vectors), 1e-4)

    np.testing.assert_array_equal((vectors @ solved.kernel + solved.bias).argmax(1), targets)


def test_a_feature_that_only_rounds_gets_no_weight():
    vectors = VECTORS.copy()
    vectors[:, 3] = np.float32(7.0) + RNG.integers(0, 2, 300) * np.spacing(np.float32(7.0))
    vectors[:, 4] = 0.1
    vectors[:, 5] = np.float32(1e-30) * CLASSES  # a scale of a norm that is 0 but for decay
    (solved,) = solve(problem_of(Classes(NAMES), CLASSES, vectors=vectors), 0.01)

    np.testing.assert_array_equal(solved.kernel[3:6], 0.0)
    assert np.abs(solved.kernel).max() < 1e3


def test_an_example_of_weight_two_counts_as_two():
    twice = np.concatenate([VECTORS, VECTORS[:50]])
    targets = np.concatenate([CLASSES, CLASSES[:50]])
    vectors = HeadVectors(VECTORS)
    labels = Classes(NAMES)
    weights = np.where(np.arange(300) < 50, 2.0, 1.0).astype(np.float32)
    kernel, bias = RNG.normal(size=(8, 3)), RNG.normal(size=3)
    weighted = HeadProblem(vectors, CLASSES, weights, labels)
    repeated = HeadProblem(HeadVectors(twice), targets, np.ones(350, np.float32), labels)
    # As both see the vectors: each is standardised by its own texts.
    folded = vectors.folded(kernel, bias)
    own = repeated.vectors
    kernel_of_own = folded[0] / own.inverse_deviation[:, None]
    bias_of_own = folded[1] + own.mean @ folded[0]

    first, second = (
        weighted.loss_and_slopes(kernel, bias)[0],
        repeated.loss_and_slopes(kernel_of_own, bias_of_own)[0],
    )
    assert first == pytest.approx(second, rel=1e-9)


def test_folding_gives_the_same_answers():
    vectors = HeadVectors(VECTORS)
    kernel, bias = RNG.normal(size=(8, 3)), RNG.normal(size=3)
    ((_, standardised),) = vectors.blocks()

    folded_kernel, folded_bias = vectors.folded(kernel, bias)

    np.testing.assert_allclose(
        VECTORS.astype(np.float64) @ folded_kernel + folded_bias,
        standardised @ kernel + bias,
        atol=1e-9,
    )
    np.testing.assert_allclose(standardised.mean(axis=0), 0.0, atol=1e-9)
    np.testing.assert_allclose(standardised.std(axis=0), 1.0, atol=1e-9)


def test_a_scale_is_that_of_the_answers():
    scale = OutputScale(100.0, 10.0)
    targets = np.array([80.0, 100.0, 120.0], np.float32)
    vectors = HeadVectors(np.array([[-1.0], [0.0], [1.0]], np.float32))
    problem = HeadProblem(vectors, targets, ONES[:3], Values(), scale=scale)

    (solved,) = solve(problem, LEAST_PENALTY)

    np.testing.assert_allclose(solved.kernel, [[2.0]], rtol=1e-5)  # 20 in units of 10


def test_penalties_are_half_decades_around_the_weight_decay():
    penalties = penalties_for(0.01)

    np.testing.assert_allclose(penalties, np.logspace(0, -4, 9), rtol=1e-12)


def test_there_is_always_some_penalty():
    assert penalties_for(0.0) == (LEAST_PENALTY,)
    assert penalties_for(1e-5)[-1] == LEAST_PENALTY


def test_a_penalty_takes_few_iterations_also_where_classes_are_far_apart():
    rng = np.random.default_rng(1)
    targets = rng.integers(0, 3, 300).astype(np.int32)
    vectors = rng.normal(size=(300, 20)) + 2.0 * rng.normal(size=(3, 20))[targets]
    mixed = vectors @ (rng.normal(size=(20, 20)) * np.logspace(0, -2, 20)[:, None])

    path = solve(
        problem_of(Classes(NAMES), targets, vectors=mixed.astype(np.float32)),
        *penalties_for(0.01),
    )

    assert all(solved.is_solved for solved in path)
    assert max(solved.iterations for solved in path) < 80


def test_a_regression_is_solved_in_a_step():
    path = solve(PROBLEMS["numbers"], *penalties_for(0.01))

    assert max(solved.iterations for solved in path) <= 2
