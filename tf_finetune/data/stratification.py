"""Divide examples so that every part holds every class in like proportion."""

import numpy as np

from tf_finetune.data.permutation import stable_permutation
from tf_finetune.tasks.labels import LabelSpace


def strata_of(labels: LabelSpace, targets: np.ndarray, most: int) -> np.ndarray:
    """The stratum of each example: what should be spread evenly.

    Args:
        labels: Meaning of the targets.
        targets: What `LabelSpace.encode` gives, `[n]` or `[n, num_outputs]`.
        most: Strata at most, see `LabelSpace.strata`.

    Returns:
        Strata, int64 `[n]`, numbered from 0 without gaps.
    """
    return np.unique(labels.strata(targets, most), return_inverse=True)[1].astype(np.int64)


def take_sample(strata: np.ndarray, size: int, *seeds: int) -> np.ndarray:
    """Choose `size` examples at random, in proportion, at least one of each stratum.

    Args:
        strata: Stratum of each example, int64 `[n]`, numbered from 0 without gaps.
        size: From the number of strata to n.
        *seeds: What decides the random choice.

    Returns:
        Whether each example is chosen, bool `[n]`.
    """
    return _random_ranks(strata, *seeds) < _quotas(np.bincount(strata), size)[strata]


def take_parts(strata: np.ndarray, sizes: list[int], *seeds: int) -> np.ndarray:
    """Divide examples at random into parts, each with at least one of each stratum.

    Args:
        strata: Stratum of each example, int64 `[n]`, numbered from 0 without gaps. A stratum
            with fewer examples than parts is missing in the first ones.
        sizes: Examples of each part but the last, which takes the others; a part grows to the
            number of strata if it is smaller.
        *seeds: What decides the random choice.

    Returns:
        The part of each example, int64 `[n]`, from 0 to `len(sizes)`.
    """
    counts = np.bincount(strata)
    ranks = _random_ranks(strata, *seeds)
    parts = np.zeros_like(strata)
    taken = np.zeros_like(counts)
    for part, size in enumerate(sizes):
        left_for_others = np.maximum(counts - taken - (len(sizes) - part), 0)
        taken += np.minimum(_quotas(counts, size), left_for_others)
        parts[ranks >= taken[strata]] = part + 1
    return parts


def take_folds(strata: np.ndarray, folds: int, *seeds: int) -> np.ndarray:
    """Divide examples at random into folds, each with as even a share of every stratum as can be.

    Dealt out like cards, stratum after stratum: sizes differ by one at most, and so does how
    many of a stratum two folds hold.

    Args:
        strata: Stratum of each example, int64 `[n]`, numbered from 0 without gaps.
        folds: Number of folds, at most n.
        *seeds: What decides the random choice.

    Returns:
        The fold of each example, int64 `[n]`, from 0.
    """
    ranks = _random_ranks(strata, *seeds)
    dealt = np.empty_like(strata)
    dealt[np.lexsort((ranks, strata))] = np.arange(len(strata)) % folds
    return dealt


def _quotas(counts: np.ndarray, size: int) -> np.ndarray:
    """How many of each stratum make a part: in proportion, but at least one of each."""
    size = max(size, len(counts))
    exact = size * counts / counts.sum()
    quotas = np.maximum(np.floor(exact), 1).astype(np.int64)
    while quotas.sum() < size:
        quotas[np.argmax(exact - quotas)] += 1
    while quotas.sum() > size:
        quotas[np.argmax(np.where(quotas > 1, quotas - exact, -np.inf))] -= 1
    return quotas


def _random_ranks(strata: np.ndarray, *seeds: int) -> np.ndarray:
    """A random order inside each stratum: each example's place in it, int64 `[n]`."""
    order = stable_permutation(len(strata), *seeds)
    order = order[np.argsort(strata[order], kind="stable")]
    counts = np.bincount(strata)
    starts = np.cumsum(counts) - counts
    ranks = np.empty_like(strata)
    ranks[order] = np.arange(len(strata)) - starts[strata[order]]
    return ranks
