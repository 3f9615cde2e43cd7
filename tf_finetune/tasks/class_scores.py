"""Scores of answers that are classes: one a text, or several."""

from typing import NamedTuple

import numpy as np
from scipy import sparse

from tf_finetune.tasks.scored import Scored, ratio, weighted_mean

_ROUNDING = 1e-12


class Counts(NamedTuple):
    """Weighted examples by class, float64 [draws, C] each.

    Attributes:
        hits: Those that have the class and were given it.
        true: Those that have it.
        given: Those that were given it.
    """

    hits: np.ndarray
    true: np.ndarray
    given: np.ndarray

    @property
    def precision(self) -> np.ndarray:
        """Precision of each class, 0 where it was never given."""
        return ratio(self.hits, self.given)

    @property
    def recall(self) -> np.ndarray:
        """Recall of each class, 0 where no example has it."""
        return ratio(self.hits, self.true)

    @property
    def f1(self) -> np.ndarray:
        """F1 of each class, 0 where it never occurs."""
        return ratio(2 * self.hits, self.true + self.given)


class ClassScored(Scored):
    """Answers that are sets of classes."""

    def __init__(
        self, true: sparse.csr_array, given: sparse.csr_array, right: np.ndarray, losses: np.ndarray
    ) -> None:
        """Keeps the answers.

        Args:
            true: Which of C classes each example has, of 0 and 1, [n, C].
            given: Which it was given.
            right: Whether the answer is right, bool [n].
            losses: Loss of each example, float64 [n].
        """
        self.num_examples = len(right)
        self._indicators = true.multiply(given).tocsr(), true, given
        self._right = right
        self._losses = losses

    def counts(self, weights: np.ndarray) -> Counts:
        """Counts the examples of each class, weighted [draws, n]."""
        return Counts(*(weights @ indicator for indicator in self._indicators))

    def scores(self, weights: np.ndarray) -> dict[str, np.ndarray]:
        """See `Scored.scores`."""
        return self._scores(weights, self.counts(weights))

    def _scores(self, weights: np.ndarray, counts: Counts) -> dict[str, np.ndarray]:
        sizes = counts.true + counts.given  # 2 TP + FP + FN
        return {
            "micro_f1": ratio(2 * counts.hits.sum(axis=1), sizes.sum(axis=1)),
            "macro_f1": ratio(counts.f1.sum(axis=1), (sizes > 0).sum(axis=1)),
            "accuracy": weighted_mean(weights, self._right),
            "loss": weighted_mean(weights, self._losses),
        }

    @property
    def shares(self) -> frozenset[str]:
        """See `Scored.shares`."""
        return frozenset({"accuracy"})


class OneClassScored(ClassScored):
    """Answers that are one class each, whose micro F1 is the accuracy."""

    def __init__(
        self, targets: np.ndarray, answers: np.ndarray, num_classes: int, losses: np.ndarray
    ) -> None:
        """Keeps the answers.

        Args:
            targets: Class of each example, int [n].
            answers: Class it was given, int [n].
            num_classes: C.
            losses: Loss of each example, float64 [n].
        """
        true, given = (indicators(classes, num_classes) for classes in (targets, answers))
        super().__init__(true, given, targets == answers, losses)

    def _scores(self, weights: np.ndarray, counts: Counts) -> dict[str, np.ndarray]:
        found = super()._scores(weights, counts)
        found["mcc"] = _matthews(weights.sum(axis=1), counts)
        return {name: found[name] for name in ("accuracy", "macro_f1", "micro_f1", "mcc", "loss")}

    @property
    def shares(self) -> frozenset[str]:
        """See `Scored.shares`."""
        return frozenset({"accuracy", "micro_f1"})


def indicators(classes: np.ndarray, num_classes: int) -> sparse.csr_array:
    """Rows of a single 1 at the class of each example, float64 [n, num_classes]."""
    n = len(classes)
    return sparse.csr_array((np.ones(n), (np.arange(n), classes)), shape=(n, num_classes))


def _matthews(total: np.ndarray, counts: Counts) -> np.ndarray:
    """Matthews correlation of several classes, [draws] (J. Gorodkin 2004, equation 8).

    It is 0 when all targets or all answers are one class.
    """

    def variance(of: np.ndarray) -> np.ndarray:
        found = total**2 - np.square(of).sum(axis=1)
        return np.where(found > _ROUNDING * total**2, found, 0.0)

    covariance = total * counts.hits.sum(axis=1) - (counts.true * counts.given).sum(axis=1)
    return ratio(covariance, np.sqrt(variance(counts.true) * variance(counts.given)))
