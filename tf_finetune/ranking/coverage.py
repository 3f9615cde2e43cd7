"""A batch that covers what is doubtful: texts nearest to the centres of clusters of states.

The most doubtful texts of a model are often alike, and the label of one says what those of its
neighbours would have said. So a number of them is clustered by what the head reads, each weighing
as much as it is doubtful, and one of each cluster is taken (F. Zhdanov, "Diverse mini-batch active
learning", 2019).
"""

import warnings
from typing import NamedTuple

import numpy as np

from tf_finetune.machine.one_thread import one_thread

# Up to so many distances a round all texts take part in each; beyond, some of them.
_MOST_DISTANCES = 5_000_000
_BATCH = 4096
_STARTS = 3


class Cover(NamedTuple):
    """Texts that stand for others.

    Attributes:
        places: Of the texts, int64 [count], the heaviest cluster first.
        sizes: Texts of each cluster, int64 [count].
        shares: Part of all weight that each cluster has, float64 [count].
    """

    places: np.ndarray
    sizes: np.ndarray
    shares: np.ndarray


def cover(vectors: np.ndarray, weights: np.ndarray, count: int, seed: int) -> Cover:
    """Chooses texts that are unlike each other.

    Args:
        vectors: Of n texts, float32 [n, hidden]; only their directions count.
        weights: What each text weighs, float [n], none of them negative.
        count: How many, at most n.
        seed: Draws where clusters begin.
    """
    vectors = _unit(vectors)
    weights = weights if weights.sum() > 0 else np.ones(len(vectors))
    cluster, centres = _clustered(vectors, weights, count, seed)
    distances = np.linalg.norm(vectors - centres[cluster], axis=1)
    order = np.lexsort((np.arange(len(vectors)), distances))
    _, first = np.unique(cluster[order], return_index=True)
    nearest = order[first]
    weight = np.bincount(cluster, weights, minlength=len(centres))
    size = np.bincount(cluster, minlength=len(centres))
    found = np.concatenate([nearest, _further(nearest, weights, count)])
    # Equal vectors leave clusters empty: who fills their place stands for itself.
    own = np.arange(len(found)) >= len(nearest)
    sizes = np.where(own, 1, size[cluster[found]])
    shares = np.where(own, 0.0, weight[cluster[found]] / weight.sum())
    order = np.argsort(-shares, kind="stable")
    return Cover(found[order], sizes[order], shares[order])


def _clustered(
    vectors: np.ndarray, weights: np.ndarray, count: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """The cluster of each vector, int [n], and the centres, [count, hidden]."""
    from sklearn.cluster import KMeans, MiniBatchKMeans  # takes a second to load
    from sklearn.exceptions import ConvergenceWarning

    means = KMeans(count, n_init=_STARTS, random_state=seed)
    if len(vectors) * count > _MOST_DISTANCES:
        means = MiniBatchKMeans(
            count, n_init=_STARTS, random_state=seed, batch_size=max(_BATCH, 2 * count)
        )
    with warnings.catch_warnings(), one_thread():
        warnings.simplefilter("ignore", ConvergenceWarning)  # of equal vectors; see `cover`
        means.fit(vectors, sample_weight=weights)
    return means.labels_, means.cluster_centers_


def _further(taken: np.ndarray, weights: np.ndarray, count: int) -> np.ndarray:
    """The heaviest of the others, as many as `count` is short of."""
    others = np.setdiff1d(np.arange(len(weights)), taken)
    return others[np.argsort(-weights[others], kind="stable")][: count - len(taken)]


def _unit(vectors: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.maximum(lengths, np.finfo(np.float32).tiny)
