"""What is to be expected of every candidate, tried or not, after the trials so far.

The score of a cell on endless examples, over endless seeds, is

    base + height of its depth and further options - what its rate loses + a rest of its own

with Gaussian heights that are alike at neighbouring depths (C. E. Rasmussen and C. K. I. Williams,
"Gaussian Processes for Machine Learning", 2006) and the curve of rates. A trial measures it with
two errors: that of the examples that happened to be drawn, which cells that answer alike share and
more trials cannot reduce, and that of training by chance, which another seed draws anew. Given
a hypothesis of the curve everything is Gaussian; hypotheses are weighted by how likely they make
the trials. The posterior is handed on as draws, conditioned by Matheron's rule (J. T. Wilson et
al., "Pathwise Conditioning of Gaussian Processes", JMLR 2021).
"""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from tf_finetune.searches.leading.race.candidates import Candidates
from tf_finetune.searches.leading.race.curve import Hypotheses, all_hypotheses
from tf_finetune.searches.leading.race.observed import Observed

DRAWS = 1024
_HYPOTHESES = 32  # of which the draws come, as often as they are likely
_KEPT = 256  # that get the offsets of another method
_LENGTH = 0.6  # of the layers: depths this far apart are still alike
_OWN_DEPTH = 0.05  # part of a depth's variance that its neighbours do not share
_OWN_KIND = 0.3  # part of the variance that other options do not share
# Standard deviations of what wrong rates lose, as parts of it: for all depths together, for each
# depth, for each cell; and of what a cell has of its own, as a part of that of the heights.
_LOSSES, _LOSSES_AT_DEPTH, _LOSS_OF_CELL = 0.3, 0.2, 0.05
_REST = 0.05
_JITTER = 1e-9


@dataclass(frozen=True)
class Posterior:
    """Draws of what may be true of all candidates together.

    Attributes:
        scores: On endless examples, over endless seeds; higher is better, [draws, candidates].
        here: The same on the validation examples at hand, which trials measure.
        seed_variance: Of one trial by chance in training.
        peak: Decades by which the best rate is above the typical one, [draws, candidates].
    """

    scores: np.ndarray
    here: np.ndarray
    seed_variance: float
    peak: np.ndarray


def posterior(
    candidates: Candidates, observed: Observed, unit: float, *, seed: int = 0
) -> Posterior:
    """Draws what may be true, given at least one trial.

    Args:
        candidates: Who runs.
        observed: What the trials told.
        unit: What differences of scores are measured in: 1 for an accuracy.
        seed: Of the draws.
    """
    model = _Model(candidates, observed, unit)
    rng = np.random.default_rng(seed)
    hypotheses, log_weight = _weighed(model, candidates, observed, unit, rng)
    chosen = _systematic(log_weight, _HYPOTHESES)
    numbers, times = np.unique(chosen, return_counts=True)
    scores, errors, peaks = [], [], []
    for number, count in zip(numbers, times * (DRAWS // _HYPOTHESES), strict=True):
        one = hypotheses.at(np.array([number]))
        drawn, error = model.draw(one, count, rng)
        scores.append(drawn)
        errors.append(error)
        peak = one.peak(candidates.share, candidates.method)
        peaks.append(np.repeat(peak, count, axis=0))
    found = np.concatenate(scores)
    return Posterior(
        found, found + np.concatenate(errors), observed.seed_variance, np.concatenate(peaks)
    )


def _weighed(
    model: "_Model",
    candidates: Candidates,
    observed: Observed,
    unit: float,
    rng: np.random.Generator,
) -> tuple[Hypotheses, np.ndarray]:
    """Hypotheses and the logarithms of their weights, [hypotheses].

    The method with the most trials says where the curve lies. The others come to it one after
    the other, each with its offset: some of the hypotheses, as often as they are likely, are
    weighed anew by what the trials of the next method add (a particle filter, N. Chopin,
    "A Sequential Particle Filter Method for Static Models", Biometrika 2002).
    """
    of_trials, solved = candidates.method[observed.at], candidates.is_solved[observed.at]
    methods = int(candidates.method.max()) + 1
    counts = np.bincount(of_trials[~solved], minlength=methods)
    first, *others = np.argsort(-counts, kind="stable")
    known = solved | (of_trials == first)
    hypotheses = all_hypotheses(unit, methods)
    log_weight = hypotheses.log_prior + model.log_likelihood(hypotheses, known)
    for method in others:
        mixed = rng.permutation(len(hypotheses))
        likely = mixed[_systematic(log_weight[mixed], _KEPT)]
        before = hypotheses.at(likely)
        hypotheses = before.with_offsets(method)
        log_weight = hypotheses.log_prior
        if counts[method]:
            after = known | (of_trials == method)
            gained = model.log_likelihood(hypotheses, after)
            each = len(hypotheses) // len(before)
            log_weight = log_weight + gained
            log_weight -= np.repeat(model.log_likelihood(before, known), each)
            known = after
    if others:
        mixed = rng.permutation(len(hypotheses))
        return hypotheses.at(mixed), log_weight[mixed]
    return hypotheses, log_weight


def _systematic(log_weight: np.ndarray, count: int) -> np.ndarray:
    """Places of so many draws: evenly spaced in the sum of weights, so that none is by chance."""
    weight = np.exp(log_weight - log_weight.max())
    chosen = np.searchsorted(np.cumsum(weight / weight.sum()), (np.arange(count) + 0.5) / count)
    return np.minimum(chosen, len(weight) - 1)


class _Model:
    """Means and covariances before any trial, and what the trials make of them."""

    def __init__(self, candidates: Candidates, observed: Observed, unit: float):
        self._candidates = candidates
        self._observed = observed
        at, solved = observed.at, candidates.is_solved
        self._stepwise = ~solved
        share, kind = candidates.share, candidates.kind
        apart = (share[:, None] - share[None]) / _LENGTH
        alike = (1 - _OWN_DEPTH) * np.exp(-0.5 * apart**2) + _OWN_DEPTH * (apart == 0)
        alike *= 1 - _OWN_KIND * (kind[:, None] != kind[None])
        # A head that is solved says nothing of the others, nor they of it.
        alike *= ~(solved[:, None] | solved[None])
        self._heights = alike + np.diag(solved.astype(float))
        same = (share[:, None] == share[None]) & (kind[:, None] == kind[None])
        self._losses = _LOSSES**2 + _LOSSES_AT_DEPTH**2 * same
        self._losses += _LOSS_OF_CELL**2 * np.eye(len(solved))
        self._rest = np.diag(_REST**2 * ~solved)
        self._base = float(np.mean(observed.means))
        # Nothing is known of the base, nor of that of the heads that are solved.
        self._wide = unit**2 * (solved[:, None] == solved[None])
        self._jitter = _JITTER * unit**2
        # Taking off what is a trial's own may leave a covariance that is none; the nearest is.
        sizes, directions = np.linalg.eigh(_examples_of_all(candidates, observed))
        self._examples_root = directions * np.sqrt(np.maximum(sizes, 0.0))
        self._examples = self._examples_root @ self._examples_root.T
        noise = observed.seed_variance / observed.counts
        self._noise = np.where(solved[at], 0.0, noise) + self._jitter

    def log_likelihood(self, hypotheses: Hypotheses, known: np.ndarray) -> np.ndarray:
        """Of the scores of some of the trials, by a mask, under each hypothesis, [hypotheses]."""
        at = self._observed.at[known]
        lost = self._lost(hypotheses, at)
        height, fall = hypotheses.height[:, None, None] ** 2, hypotheses.fall[:, None, None] ** 2
        covariance = (
            self._wide[np.ix_(at, at)]
            + self._examples[np.ix_(at, at)]
            + np.diag(self._noise[known])
            + height * (self._heights + self._rest)[np.ix_(at, at)]
            + fall * self._losses[np.ix_(at, at)] * lost[:, :, None] * lost[:, None, :]
        )
        away = self._observed.means[known] - self._base + hypotheses.fall[:, None] * lost
        factor = np.linalg.cholesky(covariance)
        solved = np.linalg.solve(factor, away[..., None])[..., 0]
        diagonal = np.diagonal(factor, axis1=1, axis2=2)
        return -0.5 * (solved**2).sum(axis=1) - np.log(diagonal).sum(axis=1)

    def draw(
        self, one: Hypotheses, count: int, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """Scores, and errors of the examples, under one hypothesis, [count, candidates] each."""
        at = self._observed.at
        everyone = np.arange(len(self._candidates.cells))
        lost = self._lost(one, everyone)[0]
        height, fall = float(one.height[0]), float(one.fall[0])
        scores = (
            self._wide
            + height**2 * (self._heights + self._rest)
            + fall**2 * self._losses * np.outer(lost, lost)
        )
        mean = self._base - fall * lost
        root = np.linalg.cholesky(scores + self._jitter * np.eye(len(lost)))
        drawn = mean + rng.normal(size=(count, len(lost))) @ root.T
        errors = rng.normal(size=(count, len(lost))) @ self._examples_root.T
        noise = rng.normal(size=(count, len(at))) * np.sqrt(self._noise)
        measured = scores[np.ix_(at, at)] + self._examples[np.ix_(at, at)] + np.diag(self._noise)
        missing = self._observed.means - (drawn[:, at] + errors[:, at] + noise)
        weights = cho_solve(cho_factor(measured, lower=True), missing.T)
        drawn += (scores[:, at] @ weights).T
        errors += (self._examples[:, at] @ weights).T
        return drawn, errors

    def _lost(self, hypotheses: Hypotheses, at: np.ndarray) -> np.ndarray:
        candidates = self._candidates
        lost = hypotheses.lost(candidates.share[at], candidates.offset[at], candidates.method[at])
        return lost * self._stepwise[at]


def _examples_of_all(candidates: Candidates, observed: Observed) -> np.ndarray:
    """Covariances of the examples' errors, also of cells not tried, [candidates, candidates].

    A cell that was not tried is taken to answer like the nearest one that was, and to differ
    from it as far as that one from its own nearest.
    """
    at = observed.at
    nearest = _nearest(candidates, at)
    covariance = observed.examples[np.ix_(nearest, nearest)].copy()
    variances = np.diag(observed.examples)
    apart = variances[:, None] + variances[None] - 2 * observed.examples
    np.fill_diagonal(apart, np.inf)
    typical = float(np.median(apart.min(axis=1))) if len(at) > 1 else 0.5 * float(variances[0])
    untried = np.ones(len(candidates.cells), bool)
    untried[at] = False
    covariance[np.diag_indices_from(covariance)] += max(typical, 0.0) * untried
    return covariance


def _nearest(candidates: Candidates, at: np.ndarray) -> np.ndarray:
    """Of each candidate the nearest one that was tried, by place in `at`; of itself itself."""
    share, offset, kind = candidates.share, candidates.offset, candidates.kind
    distance = (
        np.abs(share[:, None] - share[at][None])
        + 0.5 * np.abs(offset[:, None] - offset[at][None])
        + 0.5 * (kind[:, None] != kind[at][None])
        + 1.0 * (candidates.is_solved[:, None] != candidates.is_solved[at][None])
    )
    nearest = distance.argmin(axis=1)
    nearest[at] = np.arange(len(at))
    return nearest
