"""How far the texts and answers of late are from those of training.

Each watched quantity is a distribution over a few bins, and its distance the population
stability index, the sum of (p - q) ln(p / q) over the bins: 0 is no difference, above 0.2 is
commonly taken as one to look at. Without any drift a window of n texts over k bins shows
about (k - 1) / n.
"""

import math
from bisect import bisect_left
from collections import Counter, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

WINDOW_TEXTS = 1000
_LEAST_SHARE = 1e-4  # keeps an empty bin's logarithm finite


@dataclass(frozen=True)
class Distribution:
    """Shares of the bins of one quantity.

    Attributes:
        shares: Share of each bin, summing to 1.
        names: Names of the bins, of a quantity that has names.
        edges: Upper edges of all bins but the last, of a number.
    """

    shares: tuple[float, ...]
    names: tuple[str, ...] = ()
    edges: tuple[float, ...] = ()

    @classmethod
    def of_names(cls, names: Sequence[str], counts: Sequence[float]) -> "Distribution":
        """A distribution over names."""
        total = sum(counts) or 1.0
        return cls(tuple(count / total for count in counts), names=tuple(names))

    @classmethod
    def of_numbers(cls, values: np.ndarray, bins: int = 10) -> "Distribution":
        """A distribution over bins that hold about equally many of the values.

        Args:
            values: float [n], n at least 1.
            bins: How many; fewer if values repeat.
        """
        inner = np.quantile(values, np.linspace(0, 1, bins + 1)[1:-1])
        edges = tuple(float(edge) for edge in np.unique(inner))
        place = np.searchsorted(edges, values, side="left")
        shares = np.bincount(place, minlength=len(edges) + 1) / len(values)
        return cls(tuple(map(float, shares)), edges=edges)

    @classmethod
    def from_dict(cls, content: dict[str, Any]) -> "Distribution":
        """Reads what `asdict` wrote."""
        return cls(*(tuple(content[name]) for name in ("shares", "names", "edges")))

    def bin_of(self, value: str | float) -> int:
        """The bin of a value; -1 of a name that is none of them."""
        if isinstance(value, str):
            return self.names.index(value) if value in self.names else -1
        return bisect_left(self.edges, value)


class DriftWatch:
    """Holds the last texts against a reference.

    Args:
        reference: What to expect, by quantity.
        window_texts: How many values of each quantity are looked at.
    """

    def __init__(self, reference: dict[str, Distribution], window_texts: int = WINDOW_TEXTS):
        self.reference = reference
        self._windows: dict[str, deque[int]] = {
            name: deque(maxlen=window_texts) for name in reference
        }

    def observe(self, name: str, values: Iterable[str | float]) -> None:
        """Adds values of a quantity; one that is not watched is let pass."""
        if name in self.reference:
            bin_of = self.reference[name].bin_of
            self._windows[name].extend(bin_of(value) for value in values)

    def counts(self) -> dict[str, int]:
        """How many values of each quantity are in the window."""
        return {name: len(window) for name, window in self._windows.items()}

    def distances(self) -> dict[str, float]:
        """Population stability index by quantity; NaN before there is a value."""
        return {
            name: _stability_index(self.reference[name].shares, window)
            for name, window in self._windows.items()
        }


def _stability_index(expected: Sequence[float], window: Sequence[int]) -> float:
    if not window:
        return math.nan
    counts = Counter(window)
    index = 0.0
    for place, share in enumerate(expected):
        q = max(share, _LEAST_SHARE)
        p = max(counts[place] / len(window), _LEAST_SHARE)
        index += (p - q) * math.log(p / q)
    return index
