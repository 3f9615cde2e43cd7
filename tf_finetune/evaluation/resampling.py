"""Scores of many resamples of the examples at once.

A resample gives each example a weight, and every score here is a function of weighted sums.
Many resamples are therefore one matrix product instead of as many calls of a scoring
function; the tests hold each of them equal to `metrics.score`.

The weights are those of the Bayesian bootstrap (D. B. Rubin, Annals of Statistics 1981):
uniform over all ways to share a whole among the examples. No example ever drops out, so a
rare class stays in every resample. `added` pseudo-examples get a share like any other.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from scipy import sparse

from tf_finetune.evaluation.pseudo_examples import Kind, pseudo_examples
from tf_finetune.tasks.labels import LabelSpace
from tf_finetune.tasks.metrics import per_example_loss, predicted, score

# Weights held at a time: 16 MB in float64, small enough to stay quick and frugal.
BLOCK_WEIGHTS = 2**21
_ROUNDING = 1e-12


def resampled_scores(
    labels: LabelSpace,
    targets: np.ndarray,
    logits: np.ndarray,
    resamples: int,
    seed: int,
    added: Sequence[Kind] = (),
) -> dict[str, np.ndarray]:
    """Scores of Bayesian bootstrap resamples.

    Args:
        labels: What the labels are, C classes.
        targets: Encoded labels, as in `metrics.score`.
        logits: Finite outputs, as in `metrics.score`.
        resamples: How many resamples.
        seed: Seed of the resamples: with equal seeds and as many added examples, other
            outputs meet the same resamples.
        added: How pseudo-examples are answered that join the examples, one an entry. Which
            examples they copy depends on the place in the list, not on the answer.

    Returns:
        Each score's values, float64 [resamples].
    """
    made = [
        pseudo_examples(labels, targets, logits, kind, seed + place)
        for place, kind in enumerate(added)
    ]
    all_targets = np.concatenate([targets, *(one for one, _ in made)])
    all_logits = np.concatenate([logits, *(answers for _, answers in made)])
    size = len(made[0][0]) if made else 0
    blocks = [
        weighted_scores(labels, all_targets, all_logits, weights)
        for weights in _weights(len(targets), len(made), size, resamples, seed)
    ]
    return {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}


class LeaningScores(NamedTuple):
    """One score on resamples with a pseudo-example, float64 [resamples] each.

    Attributes:
        wrong: The example is answered wrongly, so the score is worse.
        right: It is answered rightly, so the score is better.
    """

    wrong: np.ndarray
    right: np.ndarray


def leaning_scores(
    labels: LabelSpace, targets: np.ndarray, logits: np.ndarray, resamples: int, seed: int
) -> dict[str, LeaningScores]:
    """What the ends of intervals are percentiles of: each score with one pseudo-example added.

    What resampling itself does to a score on average is taken off (Efron and Tibshirani, "An
    Introduction to the Bootstrap", 1993, chapter 10): the rank correlation of a good model is
    lower in resamples than in the examples.

    Args:
        labels: What the labels are, C classes.
        targets: Encoded labels, as in `metrics.score`.
        logits: Finite outputs, as in `metrics.score`.
        resamples: How many resamples.
        seed: Seed of the resamples; with equal seeds other outputs meet the same ones.
    """
    plain, wrong, right = (
        resampled_scores(labels, targets, logits, resamples, seed, added)
        for added in ((), ("wrong",), ("right",))
    )
    values = score(labels, targets, logits)
    bias = {name: plain[name].mean() - values[name] for name in plain}
    return {
        name: LeaningScores(wrong[name] - bias[name], right[name] - bias[name]) for name in bias
    }


def weighted_scores(
    labels: LabelSpace, targets: np.ndarray, logits: np.ndarray, weights: np.ndarray
) -> dict[str, np.ndarray]:
    """Scores of weighted examples.

    Args:
        labels: What the labels are, C classes.
        targets: Encoded labels of n examples, as in `metrics.score`.
        logits: Finite outputs, as in `metrics.score`.
        weights: Of each example in each resample, not negative, float64 [b, n].

    Returns:
        Each score's values, float64 [b]; of whole weights those of so many copies.
    """
    prediction = predicted(labels, logits)
    if labels.task == "regression":
        scores = _regression_scores(weights, np.asarray(targets, np.float64), prediction)
    else:
        scores = _class_scores(weights, labels, targets, prediction)
    return scores | {"loss": _mean(weights, per_example_loss(labels, targets, logits))}


def _weights(n: int, added: int, size: int, resamples: int, seed: int) -> Iterator[np.ndarray]:
    """Yields float64 [b, n + added * size] blocks; each added share falls to one of its rows.

    The added shares are broken off one after the other, the rest is shared by the examples. They
    are stratified over the resamples, so that percentiles which depend on them alone are
    nearly exact.
    """
    rng = np.random.default_rng(seed)
    left = np.ones(resamples)
    shares = np.empty((resamples, added))
    for place in range(added):
        even = (rng.permutation(resamples) + rng.random(resamples)) / resamples
        others = n + added - 1 - place
        shares[:, place] = left * (1.0 - (1.0 - even) ** (1.0 / others))  # Beta(1, others)
        left -= shares[:, place]
    columns = n + size * np.arange(added) + rng.integers(max(size, 1), size=(resamples, added))
    width = n + added * size
    block = max(1, BLOCK_WEIGHTS // width)
    for start in range(0, resamples, block):
        here = slice(start, min(start + block, resamples))
        count = here.stop - start
        weights = np.zeros((count, width))
        drawn = rng.standard_exponential((count, n))
        weights[:, :n] = drawn * (left[here] / drawn.sum(axis=1))[:, None]
        weights[np.arange(count)[:, None], columns[here]] = shares[here]
        yield weights


def _mean(weights: np.ndarray, values: np.ndarray) -> np.ndarray:
    return weights @ values / weights.sum(axis=1)


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
        "accuracy": _mean(weights, right),
        "macro_f1": _ratio(class_f1.sum(axis=1), (sizes > 0).sum(axis=1)),
        "micro_f1": _ratio(2 * hits.sum(axis=1), sizes.sum(axis=1)),
    }
    if labels.task == "single_label":
        scores["mcc"] = _matthews(weights.sum(axis=1), hits, true_counts, guessed_counts)
    return scores


def _matthews(
    total: np.ndarray, hits: np.ndarray, true_counts: np.ndarray, guessed_counts: np.ndarray
) -> np.ndarray:
    """Matthews correlation of several classes, [b] (J. Gorodkin 2004, equation 8)."""

    def variance(counts: np.ndarray) -> np.ndarray:
        found = total**2 - np.square(counts).sum(axis=1)
        return np.where(found > _ROUNDING * total**2, found, 0.0)

    covariance = total * hits.sum(axis=1) - (true_counts * guessed_counts).sum(axis=1)
    return _ratio(covariance, np.sqrt(variance(true_counts) * variance(guessed_counts)))


def _regression_scores(
    weights: np.ndarray, targets: np.ndarray, prediction: np.ndarray
) -> dict[str, np.ndarray]:
    """Scores of weighted numbers, float64 [b] each."""
    errors = prediction - targets
    return {
        "pearson": _correlation(weights, targets, prediction),
        "spearman": _correlation(weights, _ranks(weights, targets), _ranks(weights, prediction)),
        "mse": _mean(weights, np.square(errors)),
        "mae": _mean(weights, np.abs(errors)),
    }


def _ranks(weights: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Ranks of [n] values within each resample, ties sharing their middle one, [b, n].

    They are half a rank too low, which no correlation notices.
    """
    distinct, group = np.unique(values, return_inverse=True)
    group_sizes = weights @ _one_hot(group, len(distinct))
    group_ranks = group_sizes.cumsum(axis=1) - group_sizes / 2.0
    return group_ranks[:, group]


def _correlation(weights: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Weighted Pearson correlation of [n] or [b, n] values, [b]; 0 where one is constant."""
    total = weights.sum(axis=1, keepdims=True)

    def centred(values: np.ndarray) -> np.ndarray:
        deviations = values - (weights * values).sum(axis=1, keepdims=True) / total
        deviations[np.abs(deviations) <= _ROUNDING * np.abs(values).max()] = 0.0
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
