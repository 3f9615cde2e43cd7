"""Bootstrap percentile intervals of the scores.

B. Efron and R. J. Tibshirani, "An Introduction to the Bootstrap", Chapman & Hall 1993,
chapter 13: score many resamples of the test examples, drawn with replacement, and take
the percentiles of those scores.

A resample is a row of weights, how often each example was drawn, and every score here is
a function of weighted sums. Many resamples are therefore one matrix product instead of as
many calls of a scoring function; the tests hold each of them equal to `metrics.score`.
"""

from collections.abc import Iterator
from typing import TypedDict

import numpy as np
from scipy import sparse

from tf_finetune.config.sections import EvaluationConfig
from tf_finetune.data.labels import LabelSpace
from tf_finetune.reports.metrics import per_example_loss, predicted, score

# Weights held at a time: 16 MB in float64, small enough to stay quick and frugal.
BLOCK_WEIGHTS = 2**21


class Estimate(TypedDict):
    """A score and its percentile interval."""

    value: float
    low: float
    high: float


def with_intervals(
    labels: LabelSpace,
    targets: np.ndarray,
    logits: np.ndarray,
    evaluation: EvaluationConfig,
    seed: int = 0,
) -> dict[str, Estimate]:
    """Scores a model's outputs, each score with its interval.

    Args:
        labels: What the labels are, C classes.
        targets: Encoded labels, as in `metrics.score`.
        logits: Outputs, as in `metrics.score`.
        evaluation: Gives the number of resamples and the coverage.
        seed: Seed of the resamples; equal seeds give equal intervals.

    Returns:
        Each score of `metrics.score` with the ends of its interval. They describe the
        choice of test examples, not that of the training seed.
    """
    values = score(labels, targets, logits)
    if not all(np.isfinite(value) for value in values.values()):
        return {
            n: Estimate(value=v, low=float("nan"), high=float("nan")) for n, v in values.items()
        }
    scores = resampled_scores(labels, targets, logits, evaluation.bootstrap_resamples, seed)
    tail = (1.0 - evaluation.confidence) / 2.0
    estimates = {}
    for name, value in values.items():
        low, high = np.quantile(scores[name], [tail, 1.0 - tail])
        estimates[name] = Estimate(value=value, low=float(low), high=float(high))
    return estimates


def resampled_scores(
    labels: LabelSpace, targets: np.ndarray, logits: np.ndarray, resamples: int, seed: int
) -> dict[str, np.ndarray]:
    """Scores of bootstrap resamples.

    Args:
        labels: What the labels are, C classes.
        targets: Encoded labels, as in `metrics.score`.
        logits: Finite outputs, as in `metrics.score`.
        resamples: How many resamples.
        seed: Seed of the resamples.

    Returns:
        Each score's values, float64 [resamples].
    """
    prediction = predicted(labels, logits)
    loss = per_example_loss(labels, targets, logits)
    blocks = []
    for weights in _resample_weights(len(targets), resamples, seed):
        if labels.task == "regression":
            block = _regression_scores(weights, np.asarray(targets, np.float64), prediction)
        else:
            block = _class_scores(weights, labels, targets, prediction)
        blocks.append(block | {"loss": weights @ loss / len(targets)})
    return {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}


def _resample_weights(n: int, resamples: int, seed: int) -> Iterator[np.ndarray]:
    """Yields float64 [b, n] blocks: how often each resample draws each example."""
    rng = np.random.default_rng(seed)
    block = max(1, BLOCK_WEIGHTS // n)
    for start in range(0, resamples, block):
        size = min(block, resamples - start)
        drawn = rng.integers(n, size=(size, n)) + n * np.arange(size)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=size * n)
        yield counts.reshape(size, n).astype(np.float64)


def _class_scores(
    weights: np.ndarray, labels: LabelSpace, targets: np.ndarray, prediction: np.ndarray
) -> dict[str, np.ndarray]:
    """Scores of weighted examples with one or several labels, float64 [b] each."""
    if labels.task == "single_label":
        right = prediction == targets
        true, guessed = (_one_hot(classes, labels.num_outputs) for classes in (targets, prediction))
    else:
        right = (prediction == targets).all(axis=-1)
        true, guessed = sparse.csr_array(targets), sparse.csr_array(prediction)
    # Per resample and class, float64 [b, C].
    hits, true_counts, guessed_counts = (
        weights @ indicator for indicator in (true.multiply(guessed).tocsr(), true, guessed)
    )
    sizes = true_counts + guessed_counts  # 2 TP + FP + FN
    class_f1 = _ratio(2 * hits, sizes)
    scores = {
        "accuracy": weights @ right / len(targets),
        "macro_f1": _ratio(class_f1.sum(axis=1), (sizes > 0).sum(axis=1)),
        "micro_f1": _ratio(2 * hits.sum(axis=1), sizes.sum(axis=1)),
    }
    if labels.task == "single_label":
        scores["mcc"] = _matthews(len(targets), hits, true_counts, guessed_counts)
    return scores


def _matthews(
    n: int, hits: np.ndarray, true_counts: np.ndarray, guessed_counts: np.ndarray
) -> np.ndarray:
    """Matthews correlation of several classes, [b] (J. Gorodkin 2004, equation 8)."""
    covariance = n * hits.sum(axis=1) - (true_counts * guessed_counts).sum(axis=1)
    true_variance = n**2 - np.square(true_counts).sum(axis=1)
    guessed_variance = n**2 - np.square(guessed_counts).sum(axis=1)
    return _ratio(covariance, np.sqrt(true_variance * guessed_variance))


def _regression_scores(
    weights: np.ndarray, targets: np.ndarray, prediction: np.ndarray
) -> dict[str, np.ndarray]:
    """Scores of weighted numbers, float64 [b] each."""
    errors = prediction - targets
    return {
        "pearson": _correlation(weights, targets, prediction),
        "spearman": _correlation(weights, _ranks(weights, targets), _ranks(weights, prediction)),
        "mse": weights @ np.square(errors) / len(targets),
        "mae": weights @ np.abs(errors) / len(targets),
    }


def _ranks(weights: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Ranks of [n] values within each resample, ties sharing their mean rank, [b, n]."""
    distinct, group = np.unique(values, return_inverse=True)
    group_sizes = weights @ _one_hot(group, len(distinct))
    group_ranks = group_sizes.cumsum(axis=1) - (group_sizes - 1.0) / 2.0
    return group_ranks[:, group]


def _correlation(weights: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Weighted Pearson correlation of [n] or [b, n] values, [b]; 0 where one is constant."""

    def centred(values: np.ndarray) -> np.ndarray:
        means = (weights * values).sum(axis=1, keepdims=True) / weights.shape[1]
        deviations = values - means
        deviations[np.abs(deviations) <= 1e-12 * np.abs(values).max()] = 0.0  # rounding
        return deviations

    x, y = centred(x), centred(y)
    covariance = (weights * x * y).sum(axis=1)
    x_variance = (weights * x * x).sum(axis=1)
    y_variance = (weights * y * y).sum(axis=1)
    return _ratio(covariance, np.sqrt(x_variance) * np.sqrt(y_variance))


def _one_hot(classes: np.ndarray, num_classes: int) -> sparse.csr_array:
    n = len(classes)
    return sparse.csr_array((np.ones(n), (np.arange(n), classes)), shape=(n, num_classes))


def _ratio(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    """The quotient, and 0 where the denominator is 0."""
    return np.divide(numerator, denominator, out=np.zeros(numerator.shape), where=denominator > 0)
