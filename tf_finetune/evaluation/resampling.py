"""Scores of many resamples of the examples at once.

A resample gives each example a weight. The weights are those of the Bayesian bootstrap (D. B.
Rubin, Annals of Statistics 1981): uniform over all ways to share a whole among the examples. No
example ever drops out, so a rare class stays in every resample. `added` pseudo-examples get a
share like any other.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from tf_finetune.tasks.labels import LabelSpace
from tf_finetune.tasks.pseudo_examples import Kind

# Weights held at a time: 16 MB in float64, small enough to stay quick and frugal.
BLOCK_WEIGHTS = 2**21


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
        labels.pseudo_examples(targets, logits, kind, seed + place)
        for place, kind in enumerate(added)
    ]
    all_targets = labels.joined_targets(targets, *(one for one, _ in made))
    all_logits = np.concatenate([logits, *(answers for _, answers in made)])
    size = labels.example_count(made[0][0]) if made else 0
    examples = labels.scored(all_targets, all_logits)
    count = labels.example_count(targets)
    blocks = [
        examples.scores(weights) for weights in _weights(count, len(made), size, resamples, seed)
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
    values = labels.score(targets, logits)
    bias = {name: plain[name].mean() - values[name] for name in plain}
    return {
        name: LeaningScores(wrong[name] - bias[name], right[name] - bias[name]) for name in bias
    }


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
