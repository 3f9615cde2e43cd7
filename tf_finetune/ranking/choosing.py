"""From the candidates of a stream to those that are to be labelled next."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from tf_finetune.ranking.coverage import cover
from tf_finetune.ranking.pool import Candidate, shares_of
from tf_finetune.ranking.request import Request

# Gives what the head reads of candidates, float32 [n, hidden].
VectorsOf = Callable[[Sequence[Candidate]], np.ndarray]


class Choice(NamedTuple):
    """A text to label.

    Attributes:
        candidate: The text.
        score: The greater, the sooner: its doubt; of coverage the part of the doubt of all that
            were looked at for which it stands.
        stands_for: Texts for which it stands, and of how many; None but of coverage.
    """

    candidate: Candidate
    score: float
    stands_for: tuple[int, int] | None = None


def choose(
    groups: dict[int, list[Candidate]], request: Request, vectors_of: VectorsOf, *, weighed: bool
) -> list[Choice]:
    """Chooses what is asked for, or all that there is; the highest scores first.

    Args:
        groups: Candidates by group, from `Pool.groups`.
        request: What is asked.
        vectors_of: Asked where coverage is.
        weighed: Whether the scores of the candidates say how much each weighs.
    """
    shares = shares_of([len(group) for group in groups.values()], request.count)
    chosen: list[Choice] = []
    for candidates, share in zip(groups.values(), shares, strict=True):
        if request.by != "coverage":
            chosen += [Choice(one, one.score) for one in candidates[:share]]
        elif share:
            chosen += _covering(candidates, share, request.seed, vectors_of, weighed=weighed)
    return sorted(chosen, key=lambda one: (-one.score, one.candidate.place))


def _covering(
    candidates: Sequence[Candidate],
    share: int,
    seed: int,
    vectors_of: VectorsOf,
    *,
    weighed: bool,
) -> list[Choice]:
    scores = [one.score for one in candidates]
    weights = np.array(scores) if weighed else np.ones(len(scores))
    found = cover(vectors_of(candidates), weights, share, seed)
    return [
        Choice(candidates[place], float(part), (int(size), len(candidates)))
        for place, size, part in zip(*found, strict=True)
    ]
