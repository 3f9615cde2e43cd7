"""What a changed model loses against the original, on the same examples."""

from dataclasses import dataclass

import numpy as np

from tf_finetune.config.sections import EvaluationConfig
from tf_finetune.data import LabelSpace
from tf_finetune.reports import headline_metric, predicted, score
from tf_finetune.reports.intervals import resampled_scores


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
        largest_difference: Between any two logits.
    """

    metric: str
    original: float
    value: float
    loss: float
    low: float
    high: float
    same_answers: float | None
    largest_difference: float


def quality_loss(
    labels: LabelSpace,
    targets: np.ndarray,
    original: np.ndarray,
    changed: np.ndarray,
    evaluation: EvaluationConfig,
    seed: int = 0,
) -> QualityLoss:
    """Compares two models in pairs: each bootstrap resample draws the same examples for both.

    Args:
        labels: What the labels are, C classes.
        targets: Encoded labels, as in `reports.score`.
        original: Finite logits, float [n, C].
        changed: Those of the changed model.
        evaluation: Gives the number of resamples and the coverage.
        seed: Seed of the resamples.

    Returns:
        The loss with its percentile interval.
    """
    metric = headline_metric(labels)
    before, after = (score(labels, targets, logits)[metric] for logits in (original, changed))
    resamples = evaluation.bootstrap_resamples
    differences = np.subtract(
        *(
            resampled_scores(labels, targets, logits, resamples, seed)[metric]
            for logits in (original, changed)
        )
    )
    tail = (1.0 - evaluation.confidence) / 2.0
    low, high = np.quantile(differences, [tail, 1.0 - tail])
    same = None
    if labels.task != "regression":
        equal = predicted(labels, original) == predicted(labels, changed)
        same = float(equal.reshape(len(equal), -1).all(axis=1).mean())
    return QualityLoss(
        metric=metric,
        original=before,
        value=after,
        loss=before - after,
        low=float(low),
        high=float(high),
        same_answers=same,
        largest_difference=float(np.abs(original - changed).max()),
    )
