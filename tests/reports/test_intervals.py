import math
import time

import numpy as np
import pytest
from scipy import stats

from tf_finetune.config.sections import EvaluationConfig
from tf_finetune.data.labels import LabelSpace, Task
from tf_finetune.reports import intervals
from tf_finetune.reports.intervals import resampled_scores, with_intervals
from tf_finetune.reports.metrics import METRICS, score


def outputs(task: Task, n: int, num_classes: int = 4):
    """A label space with targets and the outputs of an imperfect model."""
    rng = np.random.default_rng(n)
    noise = rng.normal(size=(n, 1 if task == "regression" else num_classes))
    if task == "regression":
        targets = rng.normal(size=n).round(1)  # rounded, so that there are ties
        return LabelSpace(task, ()), targets.astype(np.float32), targets[:, None] + noise
    names = tuple(f"class {index}" for index in range(num_classes))
    if task == "single_label":
        targets = rng.integers(num_classes, size=n).astype(np.int32)
        return LabelSpace(task, names), targets, noise + np.eye(num_classes)[targets]
    multi_hot = (rng.random((n, num_classes)) < 0.3).astype(np.float32)
    return LabelSpace(task, names), multi_hot, noise + 2 * multi_hot - 1


@pytest.mark.parametrize("task", METRICS)
@pytest.mark.parametrize("n", [1, 3, 40])
def test_each_resample_is_scored_as_if_it_were_the_test_set(task, n):
    # Small sets have resamples that lack a class, are constant, or hold one example.
    labels, targets, logits = outputs(task, n)
    scores = resampled_scores(labels, targets, logits, resamples=30, seed=5)
    rng = np.random.default_rng(5)
    for resample in range(30):
        drawn = rng.integers(n, size=n)
        expected = score(labels, targets[drawn], logits[drawn])
        assert {name: scores[name][resample] for name in scores} == pytest.approx(expected)


@pytest.mark.parametrize("task", METRICS)
def test_blocks_do_not_change_the_resamples(task, monkeypatch):
    labels, targets, logits = outputs(task, 40)
    whole = with_intervals(labels, targets, logits, EvaluationConfig(bootstrap_resamples=100))
    monkeypatch.setattr(intervals, "BLOCK_WEIGHTS", 7 * 40)
    blocks = with_intervals(labels, targets, logits, EvaluationConfig(bootstrap_resamples=100))
    for name, estimate in whole.items():
        assert blocks[name] == pytest.approx(estimate)


@pytest.mark.parametrize("task", METRICS)
def test_intervals_agree_with_scipy(task):
    labels, targets, logits = outputs(task, 150)
    evaluation = EvaluationConfig(bootstrap_resamples=2000, confidence=0.9)
    estimates = with_intervals(labels, targets, logits, evaluation)
    assert {name: estimate["value"] for name, estimate in estimates.items()} == score(
        labels, targets, logits
    )

    def accuracy_or_pearson(indices):
        if task == "regression":
            return stats.pearsonr(targets[indices], logits[indices, 0]).statistic
        guess = logits.argmax(axis=-1) if task == "single_label" else logits > 0
        right = (guess == targets).reshape(len(targets), -1).all(axis=-1)
        return right[indices].mean()

    expected = stats.bootstrap(
        (np.arange(150),),
        accuracy_or_pearson,
        vectorized=False,
        n_resamples=2000,
        confidence_level=0.9,
        method="percentile",
        rng=np.random.default_rng(1),
    ).confidence_interval
    estimate = estimates["pearson" if task == "regression" else "accuracy"]
    # The error of a percentile from 2,000 resamples; the interval is 0.07 to 0.13 wide.
    assert estimate["low"] == pytest.approx(expected.low, abs=0.008)
    assert estimate["high"] == pytest.approx(expected.high, abs=0.008)


def test_the_interval_of_an_accuracy_is_as_wide_as_the_binomial_one():
    labels = LabelSpace("single_label", ("no", "yes"))
    targets = np.zeros(400, np.int32)
    logits = np.eye(2)[(np.arange(400) % 4 == 0).astype(int)]
    accuracy = with_intervals(labels, targets, logits, EvaluationConfig())["accuracy"]
    half_width = 1.96 * math.sqrt(0.75 * 0.25 / 400)
    assert accuracy["value"] == 0.75
    assert accuracy["low"] == pytest.approx(0.75 - half_width, abs=0.005)
    assert accuracy["high"] == pytest.approx(0.75 + half_width, abs=0.005)


def test_equal_seeds_give_equal_intervals():
    labels, targets, logits = outputs("single_label", 40)
    first, again, other = (
        with_intervals(labels, targets, logits, EvaluationConfig(), seed) for seed in (1, 1, 2)
    )
    assert first == again
    assert first["loss"]["low"] != other["loss"]["low"]


def test_one_example_has_an_interval_of_no_width():
    labels, targets, logits = outputs("single_label", 1)
    for estimate in with_intervals(labels, targets, logits, EvaluationConfig()).values():
        assert estimate["low"] == estimate["value"] == estimate["high"]


def test_a_model_that_diverged_has_no_interval():
    labels, targets, logits = outputs("regression", 3)
    for estimate in with_intervals(labels, targets, logits * np.nan, EvaluationConfig()).values():
        assert all(math.isnan(number) for number in estimate.values())


@pytest.mark.parametrize("task", METRICS)
def test_a_thousand_resamples_of_two_thousand_examples_are_quick(task):
    labels, targets, logits = outputs(task, 2000, num_classes=30)
    began = time.process_time()
    with_intervals(labels, targets, logits, EvaluationConfig())
    assert time.process_time() - began < 3.0  # 0.1 to 0.4 s on a quiet core
