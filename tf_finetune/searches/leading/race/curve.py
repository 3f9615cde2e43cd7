"""The curve of rates: how the score falls off on both sides of a depth's best learning rate.

Along the logarithm of the rate a score has one peak. Where it lies, above or below the typical
rate, is nearly the same for every depth: with few steps all of them want higher rates, with many
lower ones. So the peaks are typical rate, a shift common to all depths, a tilt from the least
to the most frozen depth, and, where methods are compared, an offset of each against the others,
whose typical rates are less well known; the score falls off on both sides like a bell that is
`width` decades wide below the peak, and as wide or narrower above it, where training breaks
down. A few trials at a depth where a trial costs seconds then say at which rate an expensive
depth should be tried first.

The peaks enter the score nonlinearly, so they are integrated over a grid of hypotheses. That of
the offsets comes to it method by method, see `with_offsets`, because all at once would be too many.
"""

import itertools
from dataclasses import dataclass, fields, replace

import numpy as np

# Decades. The best rates of searches over 50 to 2,000 steps lie within one of the typical ones.
_SHIFTS = np.linspace(-1.2, 1.2, 13)
_SHIFT_SCALE = 0.5
_TILTS = np.array([-0.35, 0.0, 0.35])
_TILT_SCALE = 0.25
_OFFSETS = np.linspace(-0.8, 0.8, 9)
_OFFSET_SCALE = 0.35
_WIDTHS = np.array([0.4, 0.7, 1.1])
_ABOVE = np.array([0.6, 1.0])
# How far depths, and rates, are apart in the score: shares of its unit.
_HEIGHTS = np.array([0.02, 0.06, 0.2])
_FALLS = np.array([0.03, 0.06, 0.12, 0.25, 0.5])


@dataclass(frozen=True)
class Hypotheses:
    """What may be true of the scores of all cells, float64 [hypotheses] each but for `offsets`.

    Attributes:
        shift: Decades by which the best rates are above the typical ones at half depth.
        tilt: By how many more they are with all layers frozen than with none.
        width: Of the bell below its peak, in decades.
        above: Its width above the peak, as a part of that below.
        height: Standard deviation of the best scores of depths.
        fall: How far the score falls where the rate is wholly wrong.
        offsets: By how many decades the best rates of each method are above those, float64
            [hypotheses, methods].
        log_prior: Logarithm of the weight before any trial.
    """

    shift: np.ndarray
    tilt: np.ndarray
    width: np.ndarray
    above: np.ndarray
    height: np.ndarray
    fall: np.ndarray
    offsets: np.ndarray
    log_prior: np.ndarray

    def __len__(self) -> int:
        """How many."""
        return len(self.shift)

    def at(self, chosen: np.ndarray) -> "Hypotheses":
        """Some of them, by index or mask."""
        values = (getattr(self, field.name) for field in fields(self))
        return Hypotheses(*(value[chosen] for value in values))

    def with_offsets(self, method: int) -> "Hypotheses":
        """Each of them with each offset of a method that had none, and the prior of that alone."""
        numbers = np.repeat(np.arange(len(self)), len(_OFFSETS))
        found = self.at(numbers)
        found.offsets[:, method] = np.tile(_OFFSETS, len(self))
        log_prior = -0.5 * (found.offsets[:, method] / _OFFSET_SCALE) ** 2
        return replace(found, log_prior=log_prior)

    def lost(self, share: np.ndarray, offset: np.ndarray, method: np.ndarray) -> np.ndarray:
        """The part of `fall` that cells lose, from 0 at the peak to 1, [hypotheses, cells].

        Args:
            share: Share of the layers that is frozen, [cells].
            offset: Decades above the typical rate, [cells].
            method: Number of the method, [cells].
        """
        away = offset[None] - self.peak(share, method)
        width = self.width[:, None] * np.where(away > 0, self.above[:, None], 1.0)
        return 1.0 - np.exp(-0.5 * (away / width) ** 2)

    def peak(self, share: np.ndarray, method: np.ndarray) -> np.ndarray:
        """Decades by which the best rate is above the typical one, [hypotheses, cells]."""
        of_depth = self.shift[:, None] + self.tilt[:, None] * (share[None] - 0.5)
        return of_depth + self.offsets[:, method]


def all_hypotheses(unit: float, methods: int = 1) -> Hypotheses:
    """Every combination, without offsets.

    Args:
        unit: What differences of scores are measured in: 1 for an accuracy.
        methods: How many there are.
    """
    axes = (_SHIFTS, _TILTS, _WIDTHS, _ABOVE, _HEIGHTS, _FALLS)
    shift, tilt, width, above, height, fall = np.array(list(itertools.product(*axes))).T
    log_prior = -0.5 * ((shift / _SHIFT_SCALE) ** 2 + (tilt / _TILT_SCALE) ** 2)
    offsets = np.zeros((len(shift), methods))
    return Hypotheses(shift, tilt, width, above, height * unit, fall * unit, offsets, log_prior)
