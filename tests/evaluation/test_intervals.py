import math
import time

import numpy as np
import pytest
from scipy import stats

from tf_finetune.evaluation.intervals import ends, share_interval, with_intervals
from tf_finetune.evaluation.resampling import leaning_scores
from tf_finetune.options.evaluation import EvaluationConfig
from tf_finetune.tasks.classes import Classes
from tf_finetune.tasks.labels import LabelSpace
from tf_finetune.tasks.metrics import METRICS
from tf_finetune.tasks.spans.span_layout import SpanTargets
from tf_finetune.tasks.table import TASKS

BINARY = Classes(("no", "yes"))


def as_sets(labels: LabelSpace, targets: np.ndarray) -> np.ndarray:
    """Targets as 0 and 1 by class, or by read."""
    if labels.joins_reads:
        rows = SpanTargets(targets)
        flags = np.zeros((len(rows), rows.reads.max(), 2))
        flags[np.arange(len(rows))[:, None], targets[:, :2], [0, 1]] = 1
        return flags.reshape(len(rows), -1)
    return targets if labels.task == "multi_label" else np.eye(labels.num_logits)[targets]


@pytest.mark.parametrize("task", TASKS)
def test_intervals_agree_with_scipys_bootstrap_where_there_are_many_examples(task, outputs):
    labels, targets, logits = outputs(task, 1500)
    evaluation = EvaluationConfig(bootstrap_resamples=2000, confidence=0.9)
    estimates = with_intervals(labels, targets, logits, evaluation)
    assert {name: estimate["value"] for name, estimate in estimates.items()} == labels.score(
        targets, logits
    )
    expected = stats.bootstrap(
        (labels.scored(targets, logits).scores(np.eye(1500))["loss"],),
        np.mean,
        n_resamples=2000,
        confidence_level=0.9,
        method="percentile",
        rng=np.random.default_rng(1),
    ).confidence_interval
    width = expected.high - expected.low
    # The error of a percentile from 2,000 resamples, and an example of 1,501 that was added.
    assert estimates["loss"]["low"] == pytest.approx(expected.low, abs=0.1 * width)
    assert estimates["loss"]["high"] == pytest.approx(expected.high, abs=0.15 * width)


@pytest.mark.parametrize("right, n", [(30, 30), (0, 30), (29, 30), (300, 400), (1, 1), (0, 2)])
def test_shares_of_the_examples_have_the_exact_interval(right, n):
    targets = np.zeros(n, np.int32)
    logits = np.eye(2)[(np.arange(n) >= right).astype(int)]
    estimates = with_intervals(BINARY, targets, logits, EvaluationConfig())
    low = stats.beta.ppf(0.025, right, n - right + 1) if right else 0.0
    high = stats.beta.ppf(0.975, right + 1, n - right) if right < n else 1.0
    for name in ("accuracy", "micro_f1"):
        assert estimates[name]["value"] == pytest.approx(right / n)
        assert (estimates[name]["low"], estimates[name]["high"]) == pytest.approx((low, high))


def test_the_resampled_interval_of_a_share_is_the_exact_one():
    targets = np.zeros(30, np.int32)
    # Percentiles of a score without any mistake depend on the share of the added example alone.
    for wrong_answers, resamples, error in ((0, 1000, 0.002), (2, 20_000, 0.004)):
        logits = np.eye(2)[np.repeat([0, 1], [30 - wrong_answers, wrong_answers])]
        found = leaning_scores(BINARY, targets, logits, resamples, 0)["accuracy"]
        share = 1 - wrong_answers / 30
        assert ends(share, *found, 0.95, (0.0, 1.0)) == pytest.approx(
            share_interval(share, 30, 0.95), abs=error
        )


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("n", [2, 30])
def test_perfect_answers_have_intervals_with_a_width(task, n, outputs):
    labels, targets, _ = outputs(task, n)
    logits = targets[:, None] if task == "regression" else 4 * as_sets(labels, targets) - 2
    for name, estimate in with_intervals(labels, targets, logits, EvaluationConfig()).items():
        if METRICS[name].lower_is_better:
            assert estimate["low"] <= estimate["value"] < estimate["high"], name
        else:
            assert estimate["low"] < estimate["high"] - 1e-6, name
            assert (estimate["value"], estimate["high"]) == pytest.approx((1.0, 1.0)), name


@pytest.mark.parametrize("task", ["single_label", "multi_label"])
def test_answers_that_are_all_wrong_have_intervals_with_a_width(task, outputs):
    labels, targets, _ = outputs(task, 30)
    sets = as_sets(labels, targets)
    wrong = np.roll(sets, 1, axis=1) if task == "single_label" else 1 - sets
    for name, estimate in with_intervals(labels, targets, wrong - 0.5, EvaluationConfig()).items():
        assert estimate["low"] < estimate["high"], name
    assert estimate["low"] < estimate["value"]  # the loss


def test_correlations_with_a_constant_are_zero_and_may_be_anything(outputs):
    labels, targets, logits = outputs("regression", 30)
    for pair in ((targets, np.ones((30, 1))), (np.ones(30, np.float32), logits)):
        estimates = with_intervals(labels, *pair, EvaluationConfig())
        for name in ("pearson", "spearman"):
            assert estimates[name] == {"value": 0.0, "low": -1.0, "high": 1.0}
        assert estimates["mse"]["low"] < estimates["mse"]["value"] < estimates["mse"]["high"]
    ones = np.ones(30, np.int32)
    mcc = with_intervals(BINARY, ones, np.eye(2)[ones], EvaluationConfig())["mcc"]
    assert mcc == {"value": 0.0, "low": -1.0, "high": 1.0}


def test_macro_f1_of_one_class_alone_allows_for_the_class_that_nobody_saw():
    ones = np.ones(30, np.int32)
    macro_f1 = with_intervals(BINARY, ones, np.eye(2)[ones], EvaluationConfig())["macro_f1"]
    assert macro_f1["value"] == 1.0
    # One text of the other class that is missed: F1 of 0 beside one of 0.94 to 1.
    assert 0.46 < macro_f1["low"] < 0.5


def test_equal_seeds_give_equal_intervals(outputs):
    labels, targets, logits = outputs("single_label", 40)
    first, again, other = (
        with_intervals(labels, targets, logits, EvaluationConfig(), seed) for seed in (1, 1, 2)
    )
    assert first == again
    assert first["loss"]["low"] != other["loss"]["low"]


def test_of_a_single_number_nothing_bounds_the_error(outputs):
    labels, targets, logits = outputs("regression", 1)
    mse = with_intervals(labels, targets, logits, EvaluationConfig())["mse"]
    assert 0.0 < mse["low"] < mse["value"] < mse["high"] == math.inf


def test_a_model_that_diverged_has_no_interval(outputs):
    labels, targets, logits = outputs("regression", 3)
    for estimate in with_intervals(labels, targets, logits * np.nan, EvaluationConfig()).values():
        assert all(math.isnan(number) for number in estimate.values())


def test_intervals_cover_the_truth_where_mistakes_are_rare():
    # Two classes, as frequent, a hundredth answered wrongly: most sets of 30 are all right.
    rng = np.random.default_rng(0)
    truth = {"macro_f1": 0.99, "mcc": 0.98}
    covered = dict.fromkeys(truth, 0)
    for _ in range(60):
        targets = rng.integers(2, size=30).astype(np.int32)
        logits = np.eye(2)[np.where(rng.random(30) < 0.99, targets, 1 - targets)]
        values = BINARY.score(targets, logits)
        resampled = leaning_scores(BINARY, targets, logits, 200, 0)
        for name, true in truth.items():
            low, high = ends(values[name], *resampled[name], 0.95, (-1.0, 1.0))
            covered[name] += low <= true <= high
    # 57 are promised; the standard deviation of that count is 1.7. Without pseudo-examples: 16.
    assert min(covered.values()) >= 54


@pytest.mark.parametrize("task", TASKS)
def test_a_thousand_resamples_of_two_thousand_examples_are_quick(task, outputs):
    labels, targets, logits = outputs(task, 2000, num_classes=30)
    began = time.process_time()
    with_intervals(labels, targets, logits, EvaluationConfig())
    assert time.process_time() - began < 5.0  # 0.2 to 0.9 s on a quiet core
