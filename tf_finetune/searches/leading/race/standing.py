"""Where a race stands: what its trials told, and how likely each answer is wrong."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tf_finetune.results.recommendation import Loss
from tf_finetune.results.trial import Cell
from tf_finetune.searches.leading.race.candidates import Candidates, Usual, candidates_of
from tf_finetune.searches.leading.race.chance import gain_left, is_wrong
from tf_finetune.searches.leading.race.observed import Observed, Resampled, observe
from tf_finetune.searches.leading.race.posterior import Posterior, posterior
from tf_finetune.searches.leading.space import SearchSpace
from tf_finetune.searches.running.records import TrialRecord

# Where all that trials can tell would gain less on average, in tolerances, none is run.
_LEAST_GAIN = 0.4
# Of fewer cells nobody learns how high, where and how wide the curve is: a single trial at a rate
# that is far off looks like a depth that is worthless.
_LEAST_TRAINED = 4


@dataclass(frozen=True)
class RaceRules:
    """How a race is led.

    Attributes:
        epochs: `training.epochs`.
        higher_is_better: Direction of the score.
        tolerance: How far below the best an answer is still right, given the best score so far.
        unit: What differences of scores are measured in, likewise: 1 for an accuracy.
        confidence: The race ends when an answer is right with this probability.
        widen_edges: Whether rates beyond those configured are tried.
        usual: What is usual for the encoder.
        resampled: Scores a trial on resamples of the validation examples.
    """

    epochs: int
    higher_is_better: bool
    tolerance: Callable[[float], float]
    unit: Callable[[float], float]
    confidence: float
    widen_edges: bool
    usual: Usual
    resampled: Resampled


@dataclass(frozen=True)
class Standing:
    """What is known after some trials.

    Attributes:
        candidates: Who runs.
        observed: What the trials told.
        found: What may be true of each candidate.
        wrong: Whether answering with each is wrong, float64 [draws, candidates] of 0 and 1.
        tolerance: How far below the best an answer is still right.
        confidence: The probability with which an answer has to be right.
    """

    candidates: Candidates
    observed: Observed
    found: Posterior
    wrong: np.ndarray
    tolerance: float
    confidence: float

    @cached_property
    def chances(self) -> np.ndarray:
        """That answering with each candidate is wrong, [candidates]."""
        return self.wrong.mean(axis=0)

    @cached_property
    def gain(self) -> float:
        """How much better the answer could be on average, in tolerances; see `gain_left`."""
        return gain_left(self.found, self.observed.at) / self.tolerance

    @cached_property
    def is_early(self) -> bool:
        """Whether too few cells were trained to learn from: four, or most of a small space."""
        trainable = ~self.candidates.is_solved
        trained = int(trainable[self.observed.at].sum())
        most = int(trainable[: self.candidates.inside].sum()) // 2 + 1
        return trained < min(_LEAST_TRAINED, most)

    @property
    def has_told_all(self) -> bool:
        """Whether more trials on the same examples would tell too little to be run."""
        return not self.is_early and self.gain < _LEAST_GAIN

    @property
    def surest(self) -> int:
        """The tried candidate that is least likely a wrong answer."""
        at = self.observed.at
        return int(at[self.chances[at].argmin()])

    @property
    def highest_chance(self) -> float:
        """That answering with the surest candidate is right."""
        return 1.0 - float(self.chances[self.surest])

    def chance_right(self, cell: Cell) -> float | None:
        """That answering with a cell is right; None if one of its trials failed."""
        place = self.candidates.place.get(cell)
        return None if place is None else 1.0 - float(self.chances[place])

    def is_right(self, cell: Cell) -> bool:
        """Whether a cell is a right answer with the probability that is asked for."""
        return (self.chance_right(cell) or 0.0) >= self.confidence

    def loss(self, cell: Cell, best: Cell, confidence: float) -> Loss | None:
        """How much worse a cell is than another; None if a trial of one of them failed."""
        places = [self.candidates.place.get(one) for one in (cell, best)]
        if None in places:
            return None
        lost = self.found.scores[:, places[1]] - self.found.scores[:, places[0]]
        low, high = np.quantile(lost, [(1 - confidence) / 2, (1 + confidence) / 2])
        return Loss(float(lost.mean()), float(low), float(high))


def standing_after(
    space: SearchSpace, rules: RaceRules, records: Iterable[TrialRecord]
) -> Standing | None:
    """What is known after some trials; None before the first that completed.

    Args:
        space: What may be tried.
        rules: How the race is led.
        records: The trials that ended, in any order.
    """
    records = list(records)
    candidates = candidates_of(
        space, records, rules.usual, epochs=rules.epochs, widen_edges=rules.widen_edges
    )
    whole = [record for record in records if record.is_whole(rules.epochs)]
    observed = observe(candidates, whole, rules.resampled, 1.0 if rules.higher_is_better else -1.0)
    if not len(observed.at):
        return None
    best = abs(float(observed.means.max()))
    found = posterior(candidates, observed, rules.unit(best))
    tolerance = rules.tolerance(best)
    wrong = is_wrong(found, tolerance)
    return Standing(candidates, observed, found, wrong, tolerance, rules.confidence)
