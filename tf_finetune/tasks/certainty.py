"""How sure a model is of its answers, and whether it is right as often as it says.

Dividing all logits of a model by one temperature changes how sure it is and never which label is
the likeliest (C. Guo et al., "On Calibration of Modern Neural Networks", 2017, section 4.2). A
written model has its temperature in its head: nothing that opens it has to know the number.
"""

from typing import ClassVar, NamedTuple

import numpy as np
from typing_extensions import Self  # of typing since Python 3.11


class Decisions(NamedTuple):
    """What was decided, each with the probability that the model gave it.

    Attributes:
        confidence: float64 [m], from 0 to 1.
        right: bool [m].
    """

    confidence: np.ndarray
    right: np.ndarray


class Certainty:
    """What a task says of how sure a model is; a part of `LabelSpace`.

    Attributes:
        calibrates: Whether its answers have probabilities that a temperature changes, and say
            with them how sure they are.
    """

    calibrates: ClassVar[bool] = False

    @property
    def temperature(self) -> float:
        """What the logits of training were divided by to become those of the model; 1: nothing."""
        return 1.0

    def calibrated_at(self, temperature: float) -> Self:
        """The same space of a model whose logits were divided by a temperature."""
        raise ValueError("these answers have no temperature")

    def certainty(self, logits: np.ndarray) -> np.ndarray:
        """Probability of each answer, by the model, float64 [n].

        Args:
            logits: Finite outputs, float [n, C].
        """
        raise ValueError("these answers have no probability")

    def right(self, targets: np.ndarray, logits: np.ndarray) -> np.ndarray:
        """Whether each answer is right as a whole, bool [n].

        Args:
            targets: Those of n examples.
            logits: Finite outputs.
        """
        raise ValueError("these answers have no probability")

    def decisions(self, targets: np.ndarray, logits: np.ndarray) -> Decisions:
        """All that is decided of n examples, which may be more than their answers.

        Args:
            targets: Those of n examples.
            logits: Finite outputs.
        """
        return Decisions(self.certainty(logits), self.right(targets, logits))
