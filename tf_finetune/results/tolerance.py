"""How much worse than the best still counts as acceptable."""

import math

from tf_finetune.tasks.metrics import METRICS

DEFAULT_TOLERANCE = 0.01
DEFAULT_RELATIVE_TOLERANCE = 0.05


def acceptable_loss(metric: str, best: float, given: float | None = None) -> float:
    """In the metric's units: as given, else 0.01, and a share of the best without a fixed range.

    Args:
        metric: One of `tasks.metrics.METRICS`.
        best: The best score.
        given: `search.tolerance`.
    """
    if given is not None:
        return given
    return DEFAULT_TOLERANCE if has_range(metric) else DEFAULT_RELATIVE_TOLERANCE * best


def has_range(metric: str) -> bool:
    """Whether the metric has a highest value."""
    return math.isfinite(METRICS[metric].high)
