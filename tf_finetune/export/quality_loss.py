"""What a changed model loses against the original, on the same examples."""

from dataclasses import dataclass

import numpy as np

from tf_finetune.evaluation.intervals import ends, share_interval
from tf_finetune.evaluation.resampling import leaning_scores
from tf_finetune.options.evaluation import EvaluationConfig
from tf_finetune.tasks.labels import LabelSpace
from tf_finetune.tasks.metrics import METRICS


@dataclass(frozen=True)
class QualityLoss:
    """The original's headline score less the changed model's; positive is worse.

    Attributes:
        metric: Name of the score, for which higher is better.
        original: Score of the original.
        value: Score of the changed model.
        loss: Their difference.
        low: Lower end of its interval.
        high: Upper end.
        same_answers: Share of the examples with the same prediction; of a regression, None.
        same_interval: Its interval, low and high.
        largest_difference: Between any two logits.
    """

    metric: str
    original: float
    value: float
    loss: float
    low: float
    high: float
    same_answers: float | None
    same_interval: tuple[float, float] | None
    largest_difference: float


def quality_loss(
    labels: LabelSpace,
    targets: np.ndarray,
    original: np.ndarray,
    changed: np.ndarray,
    evaluation: EvaluationConfig,
    seed: int = 0,
    changed_labels: LabelSpace | None = None,
) -> QualityLoss:
    """Compares two models in pairs: each resample weighs the examples alike for both.

    For the upper end of the loss an example is added that only the original answers rightly,
    for the lower one an example that only the changed model does. So models that answer alike
    have an interval, too: nobody saw the text on which they differ.

    Args:
        labels: What the labels are, C classes.
        targets: Encoded labels, as in `LabelSpace.score`.
        original: Finite logits, float [n, C].
        changed: Those of the changed model.
        evaluation: Gives the number of resamples and the coverage.
        seed: Seed of the resamples.
        changed_labels: Those of the changed model, where it decides at a threshold of its own.

    Returns:
        The loss with its interval; see `evaluation.intervals`.
    """
    metric = labels.headline
    both = ((labels, original), (changed_labels or labels, changed))
    before, after = (own.score(targets, logits)[metric] for own, logits in both)

    one, other = (
        leaning_scores(own, targets, logits, evaluation.bootstrap_resamples, seed)[metric]
        for own, logits in both
    )
    lowest, highest = METRICS[metric].limits
    low, high = ends(
        before - after,
        one.wrong - other.right,
        one.right - other.wrong,
        evaluation.confidence,
        (lowest - highest, highest - lowest),
    )
    same = same_interval = None
    if labels.names:
        first, second = (own.predicted(logits) for own, logits in both)
        equal = first == second
        same = float(equal.reshape(len(equal), -1).all(axis=1).mean())
        same_interval = share_interval(same, len(targets), evaluation.confidence)
    return QualityLoss(
        metric=metric,
        original=before,
        value=after,
        loss=before - after,
        low=low,
        high=high,
        same_answers=same,
        same_interval=same_interval,
        largest_difference=float(np.abs(original - changed).max()),
    )
