"""The vectors that a head answers from, as a solver wants them: standardised, in float64."""

from collections.abc import Callable, Iterator
from functools import cached_property

import numpy as np

# Up to this size the standardised vectors are kept, which saves making them in every product.
_KEPT_BYTES = 1 << 30
_BLOCK_ROWS = 16_384
# A feature whose deviation is fewer steps of float32, at its size or at that of the usual feature,
# holds little but rounding, and would get a weight that no other number format can hold: MiniLM
# has three features of deviations down to 1e-33.
_STEPS = 64


class HeadVectors:
    """Vectors of n texts with each feature standardised.

    A feature that is all but the same in all texts is 0 here: no solution gives it a weight. For
    a head without a bias, which cannot take a mean away, features are divided by their size alone.

    Args:
        values: The vectors, float32 [n, hidden], finite.
        centred: Whether each feature has mean 0 here.

    Attributes:
        mean: Of each feature, float64 [hidden]; 0 unless they are centred.
        inverse_deviation: 1 over the deviation of each feature from that, 0 where it is nothing
            but rounding, float64 [hidden].
    """

    def __init__(self, values: np.ndarray, *, centred: bool = True):
        self._values = values
        self.mean = np.zeros(values.shape[1])
        if centred:
            self.mean = self._mean_of(lambda block: block)
        variance = self._mean_of(lambda block: np.square(block - self.mean))
        deviation = np.sqrt(variance)
        usual = np.sqrt(np.mean(np.square(self.mean) + variance))
        size = np.maximum(np.abs(self.mean), usual).astype(np.float32)
        varies = deviation > _STEPS * np.spacing(size).astype(np.float64)
        self.inverse_deviation = np.where(varies, 1 / np.where(varies, deviation, 1.0), 0.0)
        self._kept: list[np.ndarray] | None = None
        if values.size * 8 <= _KEPT_BYTES:
            self._kept = [self._standardised(rows) for rows in self._rows()]

    def __len__(self) -> int:
        return len(self._values)

    @cached_property
    def components(self) -> tuple[np.ndarray, np.ndarray]:
        """Variances along the principal axes, float64 [hidden], and the axes, [hidden, hidden].

        The axes are columns. In them the features are not correlated, so that a step of a
        solver can be scaled along each by itself.
        """
        width = self._values.shape[1]
        covariance = np.zeros((width, width))
        for _, block in self.blocks():
            covariance += block.T @ block
        variances, axes = np.linalg.eigh(covariance / len(self))
        return np.maximum(variances, 0.0), axes

    def blocks(self) -> Iterator[tuple[slice, np.ndarray]]:
        """The standardised vectors of some texts after the other, float64 [rows, hidden]."""
        if self._kept is not None:
            yield from zip(self._rows(), self._kept, strict=True)
        else:
            yield from ((rows, self._standardised(rows)) for rows in self._rows())

    def as_they_are(self, rows: np.ndarray | slice) -> np.ndarray:
        """The vectors of some texts, not standardised, float32 [rows, hidden]."""
        return self._values[rows]

    def folded(self, kernel: np.ndarray, bias: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """A head for the vectors as they are, from one for standardised vectors; in float64.

        Args:
            kernel: [hidden, outputs].
            bias: [outputs].
        """
        kernel = kernel * self.inverse_deviation[:, None]
        return kernel, bias - self.mean @ kernel

    def _rows(self) -> Iterator[slice]:
        for start in range(0, len(self), _BLOCK_ROWS):
            yield slice(start, min(start + _BLOCK_ROWS, len(self)))

    def _standardised(self, rows: slice) -> np.ndarray:
        return (self._values[rows].astype(np.float64) - self.mean) * self.inverse_deviation

    def _mean_of(self, function: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        total = np.zeros(self._values.shape[1])
        for rows in self._rows():
            total += function(self._values[rows].astype(np.float64)).sum(axis=0)
        return total / len(self)
