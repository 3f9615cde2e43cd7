"""Scores of answers that are numbers."""

import numpy as np
from scipy import sparse

from tf_finetune.tasks.class_scores import indicators
from tf_finetune.tasks.scored import Scored, is_constant, ratio, weighted_mean

_ROUNDING = 1e-12


class ValueScored(Scored):
    """Answers that are numbers.

    A correlation with a constant is 0: such answers tell nothing about the targets. Numbers that
    differ by rounding alone are one number.
    """

    def __init__(self, targets: np.ndarray, answers: np.ndarray) -> None:
        """Keeps the answers.

        Args:
            targets: float [n].
            answers: float64 [n].
        """
        self.num_examples = len(targets)
        self._targets = np.asarray(targets, np.float64)
        self._answers = answers
        self._groups = _groups(self._targets), _groups(self._answers)

    def scores(self, weights: np.ndarray) -> dict[str, np.ndarray]:
        """See `Scored.scores`."""
        errors = self._answers - self._targets
        mean_square = weighted_mean(weights, np.square(errors))
        return {
            "pearson": _correlation(weights, self._targets, self._answers),
            "spearman": _correlation(weights, *(_ranks(weights, *one) for one in self._groups)),
            "mse": mean_square,
            "mae": weighted_mean(weights, np.abs(errors)),
            "loss": mean_square,
        }

    @property
    def shares(self) -> frozenset[str]:
        """See `Scored.shares`."""
        return frozenset()

    @property
    def unknown(self) -> frozenset[str]:
        """The correlations, where one side is constant."""
        constant = is_constant(self._targets) or is_constant(self._answers)
        return frozenset({"pearson", "spearman"} if constant else ())


def _groups(values: np.ndarray) -> tuple[np.ndarray, sparse.csr_array]:
    """The group of equal numbers that each of [n] is in, ascending, and [n, groups] of 0 and 1."""
    if is_constant(values):
        group = np.zeros(len(values), np.intp)
    else:
        group = np.unique(values, return_inverse=True)[1]
    return group, indicators(group, int(group.max()) + 1)


def _ranks(weights: np.ndarray, group: np.ndarray, members: sparse.csr_array) -> np.ndarray:
    """Ranks of n numbers within each draw, ties sharing their middle one, [draws, n].

    They are half a rank too low, which no correlation notices.
    """
    sizes = weights @ members
    return (sizes.cumsum(axis=1) - sizes / 2.0)[:, group]


def _correlation(weights: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Weighted Pearson correlation of [n] or [draws, n] numbers, [draws]."""
    total = weights.sum(axis=1, keepdims=True)

    def centred(values: np.ndarray) -> np.ndarray:
        deviations = values - (weights * values).sum(axis=1, keepdims=True) / total
        deviations[np.abs(deviations) <= _ROUNDING * np.abs(values).max()] = 0.0
        return deviations

    x, y = centred(x), centred(y)
    of_x = weights * x
    covariance = np.einsum("dn,dn->d", of_x, y)
    x_variance = np.einsum("dn,dn->d", of_x, x)
    y_variance = np.einsum("dn,dn->d", weights * y, y)
    found = ratio(covariance, np.sqrt(x_variance) * np.sqrt(y_variance))
    return np.clip(found, -1.0, 1.0)
