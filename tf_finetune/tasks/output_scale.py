"""The scale of a regression's targets: its head is trained on numbers of mean 0 and deviation 1.

Adam moves every weight by about the learning rate in a step, whatever the loss: a head that is
to answer 50 comes nowhere near in a few hundred steps of 5e-5. So the head's own output is
standardised, and what the model answers is that output times the deviation plus the mean. Both
are folded into the head when the model is written, and nothing that opens it has to know them.
"""

from dataclasses import dataclass

import numpy as np

from tf_finetune.encoders.variables import Variable


@dataclass(frozen=True)
class OutputScale:
    """Mean and deviation of the training targets, as float32 holds them.

    Attributes:
        mean: What a standardised 0 stands for.
        deviation: What a standardised 1 is more; over 0.
    """

    mean: float
    deviation: float

    def standardised(self, variable: Variable, value: np.ndarray) -> np.ndarray:
        """A head's values that give the standardised output, from those that give answers.

        Args:
            variable: Kernel or bias of the head.
            value: Of its shape.
        """
        shifted = value.astype(np.float64) - (0.0 if variable.kind == "kernel" else self.mean)
        return (shifted / self.deviation).astype(np.float32)

    def folded(self, variable: Variable, value: np.ndarray) -> np.ndarray:
        """A head's values that give answers; the other way of `standardised`."""
        shift = 0.0 if variable.kind == "kernel" else self.mean
        return (value.astype(np.float64) * self.deviation + shift).astype(np.float32)

    def is_far_from(self, other: "OutputScale") -> bool:
        """Whether targets of the other scale are in all likelihood in other units.

        Tenfold deviations, or means more than ten (smaller) deviations apart.
        """
        small, large = sorted((self.deviation, other.deviation))
        return large >= 10 * small or abs(self.mean - other.mean) > 10 * small

    def sentence(self) -> str:
        """The scale in words."""
        return f"mean {self.mean:.6g}, deviation {self.deviation:.6g}"
