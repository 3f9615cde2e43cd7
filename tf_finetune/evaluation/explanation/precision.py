"""How exact an explanation has to be."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Precision:
    """How exactly the integral is computed.

    Attributes:
        steps: Intervals to begin with, at least 1.
        most_steps: Doubling ends before it exceeds this many.
        tolerance: Largest gap, as a share of the sum of all magnitudes.
    """

    steps: int = 16
    most_steps: int = 1024
    tolerance: float = 0.01
