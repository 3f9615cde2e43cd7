"""What the trials told about the candidates, all on the same validation examples."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from tf_finetune.results.trial import TrialResult
from tf_finetune.searches.leading.race.candidates import Candidates
from tf_finetune.searches.running.records import TrialRecord

# Weight of what is expected of the seeds against what repeated cells show, in degrees of freedom.
_EXPECTED_WEIGHT = 2.0
# Of one trial alone: the part of the chance of its score that another seed would draw anew.
_OWN_SHARE = 1 / 3

# The score of a trial on resamples of the validation examples, higher is better, float64 [draws];
# every trial meets the same resamples.
Resampled = Callable[[TrialResult], np.ndarray]


@dataclass(frozen=True)
class Observed:
    """Scores, turned so that higher is better, of the n candidates that were tried.

    Attributes:
        at: Their index among the candidates, int [n].
        means: Mean over their seeds, float64 [n].
        seeds: The seeds of each, [n].
        examples: What the examples that happened to be drawn add to `means`: covariances over
            resamples of these examples, float64 [n, n].
        seed_variance: Of one trial's score, by chance in training alone, on these examples.
        freedom: How many repetitions that is known from.
    """

    at: np.ndarray
    means: np.ndarray
    seeds: tuple[tuple[int, ...], ...]
    examples: np.ndarray
    seed_variance: float
    freedom: int

    @property
    def counts(self) -> np.ndarray:
        """How many seeds each has, int [n]."""
        return np.array([len(seeds) for seeds in self.seeds])


def observe(
    candidates: Candidates,
    records: Iterable[TrialRecord],
    resampled: Resampled,
    sign: float,
) -> Observed:
    """Gathers the completed trials of the candidates.

    Args:
        candidates: Who runs.
        records: Trials that trained for all epochs.
        resampled: Scores them on resamples.
        sign: 1 where a higher score is better, else -1.
    """
    scores: dict[int, dict[int, float]] = defaultdict(dict)
    draws: dict[int, list[np.ndarray]] = defaultdict(list)
    for record in sorted(records, key=lambda r: r.request.key):
        place = candidates.place.get(record.request.cell)
        if place is None or record.result.score is None:
            continue
        scores[place][record.request.seed] = sign * record.result.score
        draws[place].append(resampled(record.result))
    at = sorted(scores)
    if not at:
        empty = np.zeros(0)
        return Observed(empty.astype(int), empty, (), np.zeros((0, 0)), 0.0, 0)
    stepwise = [not candidates.is_solved[place] for place in at for _ in draws[place]]
    own = _own_variance([one for place in at for one in draws[place]], np.array(stepwise))
    means = np.array([np.mean(draws[place], axis=0) for place in at])
    counts = np.array([len(draws[place]) for place in at])
    covariance = np.atleast_2d(np.cov(means))
    # What is a trial's own is counted with the seeds, but for a trace that keeps apart what
    # answers alike.
    shared = np.maximum(np.diag(covariance) - own / counts, 0.02 * np.diag(covariance))
    np.fill_diagonal(covariance, shared)
    groups = [np.array(list(scores[place].values())) for place in at]
    freedom = int(sum(len(group) - 1 for group in groups))
    squares = sum(float(((group - group.mean()) ** 2).sum()) for group in groups)
    return Observed(
        at=np.array(at),
        means=np.array([group.mean() for group in groups]),
        seeds=tuple(tuple(scores[place]) for place in at),
        examples=covariance,
        seed_variance=(_EXPECTED_WEIGHT * own + squares) / (_EXPECTED_WEIGHT + freedom),
        freedom=freedom,
    )


def _own_variance(draws: list[np.ndarray], stepwise: np.ndarray) -> float:
    """The part of a trial's chance that the trial most like it does not share.

    A typical one of the trials that have a seed; a head that is solved has none.
    """
    if len(draws) == 1:
        return _OWN_SHARE * float(np.var(draws[0]))
    covariance = np.cov(np.array(draws))
    variances = np.diag(covariance)
    apart = (variances[:, None] + variances[None]) / 2 - covariance
    np.fill_diagonal(apart, np.inf)
    own = np.minimum(apart.min(axis=1), _OWN_SHARE * variances)
    return float(np.median(own[stepwise] if stepwise.any() else own))
