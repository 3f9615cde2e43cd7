"""The probability above which a label applies, chosen for micro F1, or by the task.

One number for all labels, and not one a label: a label that stands on twenty validation texts
has its best threshold by luck, and the F1 that chose it flatters (Lipton, Elkan & Naryanaswamy
2014, "Optimal Thresholding of Classifiers to Maximize F1 Measure", section 5).
"""

import numpy as np

from tf_finetune.tasks.labels import LabelSpace

# Probabilities closer than this are one: rounding moves a float32 logit by as much.
_SAME = 1e-6


def choose_threshold(labels: LabelSpace, targets: np.ndarray, logits: np.ndarray) -> float:
    """Finds the threshold with the best micro F1 on some examples, or what the task takes for best.

    It stands near the middle between the two probabilities that it parts, written in as few
    digits as keep it there; 0.5 where that parts the same ones. Of equal scores the threshold
    nearest to 0.5 is taken, of two as near the higher.

    Args:
        labels: A multi-label space of C classes.
        targets: float [n, C] of 0 and 1.
        logits: float [n, C], such as of validation examples, or of each example by a model that
            was not trained on it.

    Returns:
        The threshold, above 0 and below 1; 0.5 if outputs are not finite, which have no score.

    Raises:
        ValueError: The labels are no multi-label space.
    """
    if labels.threshold is None:
        raise ValueError(f"a {labels.task} task has no threshold")
    if not np.isfinite(logits).all():
        return 0.5
    own = labels.chosen_threshold(targets, logits)
    if own is not None:
        return own
    chances = labels.probabilities(logits).ravel()
    order = np.argsort(-chances, kind="stable")
    chances = chances[order]
    hits = np.concatenate([[0.0], np.cumsum(targets.ravel()[order], dtype=np.float64)])
    chosen = np.arange(len(hits))
    sizes = chosen + hits[-1]
    f1 = np.divide(2 * hits, sizes, out=np.zeros_like(hits), where=sizes > 0)
    # With k labels chosen the threshold lies below the k-th probability, not below the next.
    above, below = np.append(1.0, chances), np.append(chances, 0.0)
    parts = above - below > _SAME
    best = np.flatnonzero(parts & (f1 == f1[parts].max()))
    found = [_between(float(below[k]), float(above[k])) for k in best]
    return min(found, key=lambda threshold: abs(threshold - 0.5))


def _between(low: float, high: float) -> float:
    """A number well above `low` and below `high`, 0.5 if that is one of them."""
    if low < 0.5 < high:
        return 0.5
    middle, room = (low + high) / 2, (high - low) / 4
    shorter = (round(middle, digits) for digits in range(1, 16))
    return next((number for number in shorter if abs(number - middle) < room), middle)
