"""What is kept of an evaluation: enough to score its examples, however they are weighed.

Every score is a function of weighted sums. Ones give the score itself, whole weights that of so
many copies, and the weights of a resample the score of that resample: many resamples are one
matrix product instead of as many calls of a scoring function.
"""

from abc import ABC, abstractmethod
from typing import Protocol

import numpy as np

_ROUNDING = 1e-12


class Counted(Protocol):
    """What was counted of each of some classes or kinds, float64 [draws, C] each."""

    @property
    def true(self) -> np.ndarray:
        """How many there are."""

    @property
    def precision(self) -> np.ndarray:
        """Precision of each."""

    @property
    def recall(self) -> np.ndarray:
        """Recall of each."""

    @property
    def f1(self) -> np.ndarray:
        """F1 of each."""


class Scored(ABC):
    """The targets of n examples and what a model answered, made ready for scoring.

    All is computed in float64. Two conventions apply where a formula divides by zero, so that
    each score is a number that can be compared: such an F1 or correlation is 0, and a class that
    occurs neither in the targets nor in the answers is left out of a macro average.

    Attributes:
        num_examples: n.
    """

    num_examples: int

    @abstractmethod
    def scores(self, weights: np.ndarray) -> dict[str, np.ndarray]:
        """Scores of weighted examples.

        Args:
            weights: Of each example in each draw, not negative, float64 [draws, n].

        Returns:
            Each score's values in the order of every report, float64 [draws].
        """

    def counts(self, weights: np.ndarray) -> Counted | None:
        """What was counted of each of `LabelSpace.counted_names`; None where nothing is.

        Args:
            weights: As for `scores`.
        """
        return None

    @property
    @abstractmethod
    def shares(self) -> frozenset[str]:
        """Names of the scores that are a share of the examples, such as an accuracy."""

    @property
    def unknown(self) -> frozenset[str]:
        """Names of the scores of which these examples say nothing, though they have a value."""
        return frozenset()

    def values(self) -> dict[str, float]:
        """The scores of the examples as they are, in the order of every report."""
        found = self.scores(np.ones((1, self.num_examples)))
        return {name: float(value[0]) for name, value in found.items()}


def weighted_mean(weights: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Means of values [n] under weights [draws, n], float64 [draws]."""
    return weights @ values / weights.sum(axis=1)


def ratio(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    """The quotient, and 0 where the denominator is 0."""
    return np.divide(numerator, denominator, out=np.zeros(numerator.shape), where=denominator > 0)


def is_constant(values: np.ndarray) -> bool:
    """Whether numbers differ by rounding alone."""
    return bool(np.ptp(values) <= _ROUNDING * np.abs(values).max())
