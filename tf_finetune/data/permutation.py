"""Random order that is a pure function of its seeds."""

import numpy as np


def stable_permutation(size: int, *seeds: int) -> np.ndarray:
    """A random permutation of `0 .. size-1`, the same for the same seeds everywhere.

    It sorts raw Philox output, because NumPy promises the bit stream of a bit generator
    to stay the same between releases but not that of `Generator.permutation`.

    Args:
        size: Number of elements.
        *seeds: Non-negative integers; every combination gives an unrelated order.

    Returns:
        The permutation, int64 `[size]`.
    """
    bits = np.random.Philox(np.random.SeedSequence(list(seeds)))
    return np.argsort(bits.random_raw(size), kind="stable")
