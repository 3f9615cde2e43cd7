"""A linear model that chooses, to show how much of the choice the states of an encoder hold."""

import numpy as np
from scipy import optimize, special
from typing_extensions import Self  # of typing since Python 3.11


class ChoiceProbe:
    """A conditional logit: one vector scores every choice, a softmax over the choices decides.

    D. McFadden, "Conditional logit analysis of qualitative choice behavior", 1974. As for a
    logistic regression of scikit-learn, half the square of the vector over `inverse_penalty` is
    added to the sum of the losses.
    """

    def __init__(self, num_choices: int, inverse_penalty: float) -> None:
        """Prepares a probe that is not yet fitted.

        Args:
            num_choices: How many choices an example has.
            inverse_penalty: How much the vector may grow for what it explains.
        """
        self._num_choices = num_choices
        self._inverse_penalty = inverse_penalty
        self._vector = np.zeros(0)

    def fit(self, features: np.ndarray, targets: np.ndarray) -> Self:
        """Finds the vector.

        Args:
            features: States of each example's choices side by side, float [n, choices * hidden].
            targets: Number of the right choice, int [n].
        """
        states = self._by_choice(features)
        right = states[np.arange(len(states)), targets].sum(axis=0)

        def loss_and_slope(vector: np.ndarray) -> tuple[float, np.ndarray]:
            logits = states @ vector
            chances = special.softmax(logits, axis=1)
            expected = np.einsum("nk,nkh->h", chances, states)
            loss = special.logsumexp(logits, axis=1).sum() - right @ vector
            penalty = vector / self._inverse_penalty
            return loss + vector @ penalty / 2, expected - right + penalty

        start = np.zeros(states.shape[2])
        self._vector = optimize.minimize(loss_and_slope, start, jac=True, method="L-BFGS-B").x
        return self

    def decision_function(self, features: np.ndarray) -> np.ndarray:
        """Scores of each example's choices, float64 [n, choices]."""
        return self._by_choice(features) @ self._vector

    def _by_choice(self, features: np.ndarray) -> np.ndarray:
        return np.asarray(features, np.float64).reshape(len(features), self._num_choices, -1)
