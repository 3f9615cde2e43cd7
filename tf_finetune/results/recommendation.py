"""What a search answers: a record of what each depth gave, how they compare and what to do.

Where several methods are tried, a depth is one of a method: `results.trial.Place`.
"""

from dataclasses import asdict, dataclass
from typing import Any, Literal

from tf_finetune.results.trial import Cell, Place

RateEdge = Literal["lowest", "highest", "only"]
Rule = Literal["one_standard_error", "best", "non_inferior"]


@dataclass(frozen=True)
class Loss:
    """How much worse one depth is than another, in the metric's units; less than 0: better.

    Attributes:
        expected: Less what both owe to having been picked.
        low: Lower end of its interval, at the answer's confidence.
        high: Upper end.
    """

    expected: float
    low: float
    high: float


@dataclass(frozen=True)
class DepthComparison:
    """Two depths on the same examples and seeds; differences are in the metric's units.

    Attributes:
        better: The depth, and method, with the better score.
        worse: The other.
        seeds: The seeds that both have; all of both if they share none.
        seeds_are_paired: Whether they share any. Otherwise, and with one seed, the chance
            of the seeds is not in the standard error.
        difference: How much worse `worse` is, less the optimisms; seldom negative, where
            the common seeds say the opposite of all seeds.
        standard_error: Of the difference.
        degrees_of_freedom: Of the standard error.
        p_value: Two-sided, that there is no difference.
        adjusted_p_value: Holm's, over all pairs that are compared, because the best one is
            known from the same data.
        separated: Whether `worse` is worse beyond chance, by the adjusted p-value.
        low: Lower end of the difference's interval, two-sided at the answer's confidence.
        high: Its upper end.
        at_most: Upper bound of the difference, one-sided at the answer's confidence.
        examples_needed: Validation examples in all, at these seeds, that find this
            difference in 80 % of cases; None if no number does or it is separated.
        seeds_needed: Seeds in all, on these examples, likewise; None also with one seed,
            which cannot tell.
    """

    better: Place
    worse: Place
    seeds: tuple[int, ...]
    seeds_are_paired: bool
    difference: float
    standard_error: float
    degrees_of_freedom: float
    p_value: float
    adjusted_p_value: float
    separated: bool
    low: float
    high: float
    at_most: float
    examples_needed: int | None
    seeds_needed: int | None

    @property
    def within_one_standard_error(self) -> bool:
        """Whether the rule takes the worse for as good."""
        return self.difference <= self.standard_error


@dataclass(frozen=True)
class DepthResult:
    """What the search found at one depth.

    Attributes:
        cell: The best cell.
        num_cells: How many cells it was picked from.
        rate_edge: "lowest" or "highest" if its rate is an end of the rates tried here,
            "only" if no other was tried; None inside.
        rate_told_apart: Whether every other rate tried here is worse beyond chance.
        seeds: The seeds it completed.
        score: Mean over the seeds, less `optimism`.
        low: Lower end of the interval.
        high: Upper end. The interval covers examples and, with several seeds, seeds.
        standard_error: Of the score.
        measured_score: Mean over the seeds as measured.
        validation_loss: Mean over the seeds; decides between equal scores.
        optimism: How much better that looks for having been picked as the best cell.
        seed_deviation: Standard deviation between seeds that examples do not explain; None
            with one seed.
        trainable_parameters: Number of parameters that are trained.
        seconds_per_epoch: Wall time of one epoch, its share of filling a prefix cache included.
        peak_memory_bytes: The most memory in use; None if not measured.
        step_flops: Floating-point operations of a step; None if unknown.
        answer_flops: Those of an answer to a text of mean length; None if unknown.
        relative_time: Seconds an epoch, as a multiple of the reference depth's.
        relative_memory: Peak memory, likewise.
        relative_flops: Operations a step, likewise.
        relative_answer: Operations an answer, likewise.
        to_best: DepthComparison with the best depth; None for the best itself.
    """

    cell: Cell
    num_cells: int
    rate_edge: RateEdge | None
    rate_told_apart: bool
    seeds: tuple[int, ...]
    score: float
    low: float
    high: float
    standard_error: float
    measured_score: float
    validation_loss: float
    optimism: float
    seed_deviation: float | None
    trainable_parameters: int
    seconds_per_epoch: float
    peak_memory_bytes: float | None
    step_flops: float | None
    answer_flops: float | None
    relative_time: float | None
    relative_memory: float | None
    relative_flops: float | None
    relative_answer: float | None
    to_best: DepthComparison | None = None

    @property
    def depth(self) -> int:
        """The frozen depth."""
        return self.cell.frozen_depth

    @property
    def place(self) -> Place:
        """The depth and method."""
        return self.cell.place

    @property
    def learning_rate(self) -> float | None:
        """The peak learning rate; None where the head is solved exactly."""
        return self.cell.learning_rate

    @property
    def extra(self) -> dict[str, Any]:
        """Options of further dimensions by dotted name."""
        return dict(self.cell.extra)


@dataclass(frozen=True)
class Recommendation:
    """The answer.

    Attributes:
        metric: The score that decided.
        higher_is_better: Whether it does.
        num_layers: L, the layers of the encoder.
        num_examples: n, the validation examples; with folds, the training examples.
        confidence: Coverage of the intervals; 1 - confidence is the level of the tests.
        tolerance: How much worse than the best still counts as acceptable.
        depths: What was found, by ascending depth, and there by method.
        rule: By which a depth is recommended: the cheapest within one standard error of the best,
            the best, or the cheapest acceptable one.
        recommended_place: What the rule gives.
        loss: How much worse it is than the best; None where it is the best.
        best_place: The best score.
        acceptable_place: The cheapest that is shown to be less than `tolerance` worse than
            the best, at the confidence (a non-inferiority test); after a race, that is with
            probability `search.confidence` within it of all that could be tried.
        reference_place: The least frozen depth tried of the whole encoder, in whose units costs
            are given; of several methods there the one that trains most.
        comparisons: Every pair of depths of a method, and of the methods' best depths, and each
            depth with the best of all.
        num_trials: Trials that ended, a cell and seed counted once.
        failed: Those that failed, with their reasons.
        places_without_result: Depths tried of which no trial completed.
        folds: How many folds took the place of a validation split; None if there was one.
        chance_right: After a race, the probability that the recommended cell is no more than
            `tolerance` worse than the best of all that could be tried; else None.
        has_told_all: After a race, whether more trials on the same examples would tell too little
            to be run, however it ended; else None.
        has_pooler: Whether a pooler trains beside the head where every layer is frozen.
        answer: What to do, what it scores and at what price, in a sentence.
        certainty: How sure that is, in a sentence or two.
        alternatives: The best score and the cheapest acceptable depth, a sentence each.
        notes: What to know before acting on it: sentences, none if all is well.
    """

    metric: str
    higher_is_better: bool
    num_layers: int
    num_examples: int
    confidence: float
    tolerance: float
    depths: tuple[DepthResult, ...]
    recommended_place: Place
    best_place: Place
    acceptable_place: Place
    reference_place: Place
    comparisons: tuple[DepthComparison, ...]
    num_trials: int
    failed: tuple[str, ...]
    places_without_result: tuple[Place, ...]
    folds: int | None = None
    has_pooler: bool = True
    rule: Rule = "one_standard_error"
    loss: Loss | None = None
    chance_right: float | None = None
    has_told_all: bool | None = None
    answer: str = ""
    certainty: str = ""
    alternatives: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def at(self, depth: int, method: str | None = None) -> DepthResult:
        """What was found at a depth by a method."""
        place = Place(depth, method)
        return next(result for result in self.depths if result.place == place)

    @property
    def methods(self) -> tuple[str, ...]:
        """Settings of the methods that were compared; none where there was one alone."""
        places = [*(result.place for result in self.depths), *self.places_without_result]
        return tuple(sorted({place.method for place in places if place.method is not None}))

    @property
    def recommended(self) -> DepthResult:
        """What was found at the recommended depth."""
        return self.at(*self.recommended_place)

    @property
    def best(self) -> DepthResult:
        """What was found at the best depth."""
        return self.at(*self.best_place)

    @property
    def acceptable(self) -> DepthResult:
        """What was found at the cheapest acceptable depth."""
        return self.at(*self.acceptable_place)

    @property
    def reference(self) -> DepthResult:
        """What was found where costs are 1."""
        return self.at(*self.reference_place)

    @property
    def answers_differ(self) -> bool:
        """Whether answering takes more work at some depths than at others."""
        return any(
            result.relative_answer is not None and round(100 * result.relative_answer) != 100
            for result in self.depths
        )

    def price_against(self, result: DepthResult) -> DepthResult | None:
        """What the price of a depth is told against; None where there is nothing to tell.

        Full fine-tuning; where it has no result the best score, and of that itself the least
        frozen depth of the whole encoder.
        """
        full = self.reference_place.depth == 0 or result.place == self.best_place
        against = self.reference if full else self.best
        return None if against.place == result.place else against

    @property
    def pareto_front(self) -> tuple[DepthResult, ...]:
        """Depths that no other one beats in score without costing more, cheapest first."""
        sign = 1.0 if self.higher_is_better else -1.0
        front: list[DepthResult] = []
        for result in sorted(self.depths, key=lambda r: (r.seconds_per_epoch, -sign * r.score)):
            if not front or sign * result.score > sign * front[-1].score:
                front.append(result)
        return tuple(front)

    @property
    def sentence(self) -> str:
        """The answer and how sure it is, in plain English."""
        return f"{self.answer} {self.certainty}"

    def to_dict(self) -> dict[str, Any]:
        """Every number and sentence, as strict JSON."""
        depths = [
            asdict(result)
            | {"cell": result.cell.to_dict()}
            | self._said("method", result.place)
            | {"to_best": None if result.to_best is None else self._pair(result.to_best)}
            for result in self.depths
        ]
        lists: dict[str, Any] = {
            "comparisons": list(map(self._pair, self.comparisons)),
            "depths_without_result": [place.depth for place in self.places_without_result],
            "alternatives": list(self.alternatives),
            "notes": list(self.notes),
        }
        found = asdict(self) | {"depths": depths} | lists
        if self.methods:
            without = [place.method_name or None for place in self.places_without_result]
            found["methods_without_result"] = without
        del found["places_without_result"]
        for name in ("recommended", "best", "acceptable", "reference"):
            place = getattr(self, f"{name}_place")
            del found[f"{name}_place"]
            found |= {f"{name}_depth": place.depth} | self._said(f"{name}_method", place)
        return found

    def _pair(self, pair: DepthComparison) -> dict[str, Any]:
        return (
            asdict(pair)
            | {"better": pair.better.depth, "worse": pair.worse.depth}
            | self._said("better_method", pair.better)
            | self._said("worse_method", pair.worse)
        )

    def _said(self, name: str, place: Place) -> dict[str, str | None]:
        """The method in short where several were compared; null for the head alone."""
        return {name: place.method_name or None} if self.methods else {}
