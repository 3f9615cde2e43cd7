"""Made-up searches whose truth is known: scores of cells, and what trials of them answer.

Nothing in here knows how the race thinks: scores fall off otherwise on the two sides of the best
rate and crash beyond it, the best rates lie off the typical ones by an amount of each search,
with a tilt and a jump of every depth, and more depth can overfit. An example is hard for all
cells or easy; how a cell answers it is its own, and a part of that changes with the seed.
"""

import zlib
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from scipy.stats import norm

from tf_finetune.plans.rates import two_digits, typical_rate
from tf_finetune.results.trial import Cell, Place, Predictions, TrialResult
from tf_finetune.searches.leading.race.candidates import Usual
from tf_finetune.searches.leading.race.race import Race, Step
from tf_finetune.searches.leading.race.standing import RaceRules
from tf_finetune.searches.leading.space import SearchSpace
from tf_finetune.searches.leading.stages import repetitions, widenings
from tf_finetune.searches.running.records import Stage, TrialRecord
from tf_finetune.searches.running.trial_request import TrialRequest

LAYERS = 6
EPOCHS = 3
_RESAMPLES = 1000
# Parts of an answer's variance: the example's own, the cell's, the rest is the seed's.
_OF_EXAMPLE, _OF_CELL = 0.75, 0.12


@dataclass
class Truth:
    """One made-up search.

    Attributes:
        number: Draws everything.
        examples: How many validation examples there are.
        seeds: Training seeds.
        methods: Names of those that are compared; none: there is only one. The first is as a
            search without any, the others differ from it in score, best rates and seconds.
    """

    number: int
    examples: int
    seeds: tuple[int, ...] = (0, 1)
    methods: tuple[str, ...] = ()
    _answers: dict[Cell, np.ndarray] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        """Draws what is true."""
        rng = np.random.default_rng([self.number, 1])
        share = np.arange(LAYERS + 1) / LAYERS
        lost = rng.uniform(0.01, 0.3) * share ** rng.uniform(0.8, 3.0)
        overfits = np.abs(rng.normal(0, 0.012)) * (1 - share) ** 2
        self.best = rng.uniform(0.75, 0.97) - lost - overfits + rng.normal(0, 0.004, LAYERS + 1)
        self.peak = (
            rng.normal(0.1, 0.4)
            + rng.normal(0, 0.2) * (share - 0.5)
            + rng.normal(0, 0.08, LAYERS + 1)
        )
        # What the third of the best rate loses, and how much more the threefold does.
        self.slope = rng.uniform(0.003, 0.04) * np.exp(rng.normal(0, 0.4, LAYERS + 1))
        self.steeper = rng.uniform(1.0, 3.0)
        self.seed_deviation = rng.uniform(0.0, 0.006)
        self.hardness = rng.normal(size=self.examples)
        weights = rng.standard_exponential((_RESAMPLES, self.examples))
        self.weights = weights / weights.sum(axis=1, keepdims=True)
        rng = np.random.default_rng([self.number, 7])
        self.heights: dict[str | None, np.ndarray] = {None: np.zeros(LAYERS + 1)}
        for method in self.methods:
            common = 0.0 if method == self.methods[0] else rng.normal(-0.005, 0.012)
            self.heights[method] = common + rng.normal(0, 0.004, LAYERS + 1)
        # Decades by which a method's best rates lie off those of the first.
        self.offsets: dict[str | None, float] = {None: 0.0}
        for method in self.methods:
            self.offsets[method] = 0.0 if method == self.methods[0] else rng.normal(0, 0.35)

    @cached_property
    def space(self) -> SearchSpace:
        """Every depth, and method, with three rates; the head alone is solved."""
        rates = {
            Place(depth, method): tuple(two_digits(usual_rate(depth) * f) for f in (1 / 3, 1, 3))
            for depth in range(LAYERS)
            for method in (self.methods or (None,))
        }
        space = SearchSpace({**rates, Place(LAYERS): ()}, (), self.seeds, 0, None)
        return SearchSpace(space.rates, (), self.seeds, len(space.cells()), None)

    def score(self, cell: Cell) -> float:
        """Accuracy on endless examples over endless seeds."""
        best = float(self.best[cell.frozen_depth] + self.heights[cell.method][cell.frozen_depth])
        if cell.learning_rate is None:
            return best
        away = np.log10(cell.learning_rate / usual_rate(cell.frozen_depth))
        peak = self.peak[cell.frozen_depth] + self.offsets[cell.method]
        away = (away - peak) / np.log10(3)
        lost = float(self.slope[cell.frozen_depth]) * away**2
        lost *= self.steeper if away > 0 else 1.0
        return best - (best - 0.3) * float(np.tanh(lost / (best - 0.3)))

    def seconds(self, request: TrialRequest) -> float:
        """A trial's: 60 with nothing frozen, less by the methods after the first."""
        depth, method = request.cell.frozen_depth, request.cell.method
        faster = 0.7 if method in self.methods[1:] else 1.0
        return 2.0 if request.cell.is_solved else faster * (4.0 + 56.0 * (1 - depth / LAYERS))

    def trial(self, request: TrialRequest, stage: Stage = "race", why: str = "") -> TrialRecord:
        """Trains nothing and answers as if."""
        cell = request.cell
        place = zlib.crc32(cell.key.encode())
        own = np.random.default_rng([self.number, 2, place]).normal(size=self.examples)
        rng = np.random.default_rng([self.number, 3, place, request.seed])
        accuracy = self.score(cell) + (
            0.0 if cell.is_solved else rng.normal(0, self.seed_deviation)
        )
        of_cell = 1 - _OF_EXAMPLE if cell.is_solved else _OF_CELL
        latent = np.sqrt(_OF_EXAMPLE) * self.hardness + np.sqrt(of_cell) * own
        latent += np.sqrt(1 - _OF_EXAMPLE - of_cell) * rng.normal(size=self.examples)
        right = latent < norm.ppf(np.clip(accuracy, 0.001, 0.999))
        logits = np.where(right, 1.0, -1.0)[:, None] * np.array([1.0, -1.0])
        result = TrialResult(
            cell,
            request.seed,
            "completed",
            score=float(right.mean()),
            trainable_parameters=1000 * (LAYERS + 1 - cell.frozen_depth),
            seconds_per_epoch=self.seconds(request) / EPOCHS,
            epochs=EPOCHS,
            predictions=Predictions(np.zeros(self.examples, np.int32), logits),
        )
        name = request.folder_name(EPOCHS)
        return TrialRecord(request, stage, result, self.seconds(request), (), name, why=why)

    def resampled(self, trial: TrialResult) -> np.ndarray:
        """Its accuracy on resamples of the examples."""
        return self.weights @ (trial.load_predictions().logits[:, 0] > 0)

    def rules(self, tolerance: float = 0.01, confidence: float = 0.95) -> RaceRules:
        """Of a race for the accuracy."""
        return RaceRules(
            epochs=EPOCHS,
            higher_is_better=True,
            tolerance=lambda best: tolerance,
            unit=lambda best: 1.0,
            confidence=confidence,
            widen_edges=True,
            usual=Usual(LAYERS, lambda cell: usual_rate(cell.frozen_depth)),
            resampled=self.resampled,
        )


def usual_rate(depth: int) -> float:
    """The typical rate of a depth."""
    return typical_rate(depth, LAYERS, steps=650)


def race(truth: Truth, rules: RaceRules) -> tuple[list[TrialRecord], str]:
    """Runs a race to its end; its trials in order, and why it ended."""
    leader = Race(truth.space, rules, truth.seconds)
    records: list[TrialRecord] = []
    while isinstance(step := leader.next(records), Step):
        records.append(truth.trial(step.request, why=step.why))
    return records, step


def grid(truth: Truth) -> list[TrialRecord]:
    """The trials of the exhaustive search."""
    first = truth.seeds[0]
    records = [
        truth.trial(TrialRequest(cell, first, EPOCHS), "explore") for cell in truth.space.cells()
    ]
    while True:
        known = {record.request.key for record in records}
        wanted = widenings(truth.space, records, EPOCHS, higher_is_better=True)
        new = [truth.trial(r, "widen") for r in wanted if r.key not in known]
        if not new:
            break
        records += new
    more = repetitions(truth.space, records, EPOCHS)
    return records + [truth.trial(request, "repeat") for request in more]
