"""How far what a device computes is from what was computed where the step was packed."""

from collections.abc import Sequence
from typing import Any

import numpy as np

# A group of what is updated that is compared as it is; any other, such as an optimiser's first
# moments, in shares of the largest value of its group.
WEIGHTS = "weights"


def compared_values(value: np.ndarray, number: int, count: int | None) -> np.ndarray:
    """The values of an array that are compared.

    Args:
        value: The array.
        number: Its place among the outputs, which decides where the values are taken.
        count: How many; None: all.
    """
    flat = np.asarray(value).reshape(-1)
    if count is None or count >= flat.size:
        return flat
    return flat[np.random.RandomState(number).randint(0, flat.size, size=count)]


def root_mean_square(value: np.ndarray) -> float:
    """Of all values of an array, so that no place is left out of the comparison."""
    flat = np.asarray(value).reshape(-1)
    if not flat.size:
        return 0.0
    # A sum in float32 would stand still after 16 million values.
    return float(np.sqrt(np.mean(np.square(flat, dtype=np.float32), dtype=np.float64)))


def differences(
    scalars: dict[str, float],
    updated: Sequence[np.ndarray],
    expected: dict[str, Any],
    values: Sequence[np.ndarray],
) -> dict[str, float]:
    """The largest difference of each kind.

    Args:
        scalars: What a step gives, by name.
        updated: Arrays that a step gives, in order.
        expected: `scalars` by name, `groups` and `root_mean_squares` of the arrays, and how many
            values of each are `compared`.
        values: Those values of each array.

    Returns:
        Of every scalar its share; of every group of arrays see `WEIGHTS`. NaN counts as infinite.
    """
    found = {
        name: _far(value - expected["scalars"][name]) / max(abs(expected["scalars"][name]), 1e-6)
        for name, value in scalars.items()
    }
    largest: dict[str, float] = {}
    for number, (array, group) in enumerate(zip(updated, expected["groups"], strict=True)):
        wanted = np.asarray(values[number], np.float64)
        mine = compared_values(array, number, expected["compared"]).astype(np.float64)
        difference = _far(root_mean_square(array) - expected["root_mean_squares"][number])
        if wanted.size:
            difference = max(difference, _far(np.abs(mine - wanted).max()))
            largest[group] = max(largest.get(group, 0.0), float(np.abs(wanted).max()))
        found[group] = max(found.get(group, 0.0), difference)
    for group, value in largest.items():
        if group != WEIGHTS and value > 0:
            found[group] /= value
    return found


def _far(difference: float) -> float:
    """Its size; that of NaN, which no maximum would notice, is infinite."""
    return float("inf") if np.isnan(difference) else abs(float(difference))
