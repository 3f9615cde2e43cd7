"""Intervals of the scores that are honest where nothing went wrong, or nothing right.

Resampling thirty right answers gives thirty right answers, and an interval of no width. So:

- A share of the examples (an accuracy; the micro F1 of one class, which is the accuracy) has
  the interval of C. J. Clopper and E. S. Pearson (Biometrika 1934): 30 of 30 is 0.884 to 1.
  It covers the truth at least as often as it says. Wilson's is shorter because it does so on
  average only: of 100 examples at a true 0.99 it covers in 92 % of cases.
- Every other score has the percentiles of a Bayesian bootstrap to whose examples one is added
  that argues against the model, answered wrongly, for the end that is worse, and one that
  argues for it, answered rightly, for the end that is better. For a mean of bounded values
  this is the bound of N. Gaffke (Mathematical Methods of Statistics 2005; M. Phan, P. Thomas
  and E. Learned-Miller, "Towards practical mean bounds for small samples", ICML 2021), and
  for a share exactly Clopper and Pearson's. Its weight is that of one example, so in large
  sets it is the ordinary bootstrap.

Where even an added example changes nothing, the examples say nothing of the score, and the
end is that of the score's range. How often the intervals cover is in `docs/findings.md`.
"""

from typing import TypedDict

import numpy as np
from scipy import stats

from tf_finetune.evaluation.resampling import leaning_scores
from tf_finetune.options.evaluation import EvaluationConfig
from tf_finetune.tasks.labels import LabelSpace
from tf_finetune.tasks.metrics import METRICS
from tf_finetune.tasks.scored import is_constant


class Estimate(TypedDict):
    """A score and its interval."""

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
        choice of test examples, not that of the training seed. A correlation with a
        constant is 0 by convention and may be anything: -1 to 1. Of a single number nothing
        bounds the error above: its end is infinite.
    """
    values = labels.score(targets, logits)
    if not all(np.isfinite(value) for value in values.values()):
        return {
            n: Estimate(value=v, low=float("nan"), high=float("nan")) for n, v in values.items()
        }
    leaning = leaning_scores(labels, targets, logits, evaluation.bootstrap_resamples, seed)
    examples = labels.scored(targets, logits)
    estimates = {}
    for name, value in values.items():
        if name in examples.shares:
            low, high = share_interval(value, len(targets), evaluation.confidence)
        elif name in examples.unknown:
            low, high = METRICS[name].limits
        else:
            downwards, upwards = leaning[name]
            if METRICS[name].lower_is_better:
                downwards, upwards = upwards, downwards
            low, high = ends(value, downwards, upwards, evaluation.confidence, METRICS[name].limits)
        estimates[name] = Estimate(value=value, low=low, high=high)
    return estimates


def share_interval(share: float, n: int, confidence: float) -> tuple[float, float]:
    """Clopper and Pearson's interval of a share of n examples."""
    found = stats.binomtest(round(share * n), n).proportion_ci(confidence, method="exact")
    return float(found.low), float(found.high)


def ends(
    value: float,
    downwards: np.ndarray,
    upwards: np.ndarray,
    confidence: float,
    limits: tuple[float, float],
) -> tuple[float, float]:
    """The ends of an interval around a score or a difference of scores.

    Args:
        value: The score.
        downwards: Resampled scores with an example added that lowers it, [resamples].
        upwards: With one added that raises it.
        confidence: Coverage of the interval.
        limits: Range of the score, for an end that no resample moves from the value.

    Returns:
        Low and high, with `value` between them.
    """
    tail = (1.0 - confidence) / 2.0
    lowest, highest = low, high = limits
    if not is_constant(downwards):
        low = float(np.clip(np.quantile(downwards, tail), lowest, value))
    if not is_constant(upwards):
        high = float(np.clip(np.quantile(upwards, 1.0 - tail), value, highest))
    return low, high
