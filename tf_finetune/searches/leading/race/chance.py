"""How likely an answer is wrong, and what more trials could gain, by draws of what may be true."""

import numpy as np

from tf_finetune.searches.leading.race.posterior import Posterior


def is_wrong(found: Posterior, tolerance: float) -> np.ndarray:
    """Whether each candidate is worse than the best of all by more than the tolerance.

    Args:
        found: What may be true.
        tolerance: In the score's units.

    Returns:
        float64 [draws, candidates] of 0 and 1, whose means are the chances that answering with
        a candidate is wrong.
    """
    best = found.scores.max(axis=1, keepdims=True)
    return (found.scores < best - tolerance).astype(float)


def gain_left(found: Posterior, answers: np.ndarray) -> float:
    """How much better the answer would be on average if all were known that trials can tell.

    That is everything about the validation examples at hand; which of the candidates is the best on
    others stays open (the expected value of perfect information, H. Raiffa and R. Schlaifer,
    "Applied Statistical Decision Theory", 1961).

    Args:
        found: What may be true.
        answers: Candidates that can be the answer now, those that were tried, int.

    Returns:
        In the score's units.
    """
    known = found.scores[np.arange(len(found.scores)), found.here.argmax(axis=1)].mean()
    return float(known - found.scores[:, answers].mean(axis=0).max())
