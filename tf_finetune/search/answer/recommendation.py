"""The answer of a search: which depth, at which learning rate, how sure, at what price.

The rule. At each depth the best cell is found. The recommended depth is the cheapest whose
score is within one standard error of the best depth's (L. Breiman et al., "Classification
and Regression Trees", 1984, section 3.4.3; T. Hastie et al., "The Elements of Statistical
Learning", 2009, section 7.10). The standard error is that of the difference of the two on
the same validation examples and seeds, not that of either score alone.

Scores are those on the validation examples less the optimism of having picked a depth's
best cell on them; that of picking the best depth stays in, so only the test split says
what the chosen model is worth.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from tf_finetune.errors import UserError
from tf_finetune.search.answer import sentence
from tf_finetune.search.answer.comparison import Comparison, compare_all
from tf_finetune.search.answer.depth_evidence import (
    EQUAL_COST,
    DepthEvidence,
    RateEdge,
    gather_evidence,
    is_usable,
    unique_trials,
)
from tf_finetune.search.answer.statistics import estimate
from tf_finetune.search.running.trial import Cell, TrialResult, order_of_scores
from tf_finetune.tasks.labels import LabelSpace
from tf_finetune.tasks.metrics import METRICS

DEFAULT_TOLERANCE = 0.01
DEFAULT_RELATIVE_TOLERANCE = 0.05


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
        relative_time: Seconds an epoch, as a multiple of the reference depth's.
        relative_memory: Peak memory, likewise.
        relative_flops: Operations a step, likewise.
        to_best: Comparison with the best depth; None for the best itself.
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
    relative_time: float | None
    relative_memory: float | None
    relative_flops: float | None
    to_best: Comparison | None = None

    @property
    def depth(self) -> int:
        """The frozen depth."""
        return self.cell.frozen_depth


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
        depths: What was found, by ascending depth.
        recommended_depth: The cheapest within one standard error of the best.
        best_depth: The best score.
        acceptable_depth: The cheapest that is shown to be less than `tolerance` worse than
            the best, at the confidence (a non-inferiority test).
        reference_depth: The least frozen depth tried, in whose units costs are given; 0 is
            full fine-tuning.
        comparisons: Every pair of depths.
        num_trials: Trials that ended, a cell and seed counted once.
        failed: Those that failed, with their reasons.
        depths_without_result: Depths tried of which no trial completed.
        folds: How many folds took the place of a validation split; None if there was one.
    """

    metric: str
    higher_is_better: bool
    num_layers: int
    num_examples: int
    confidence: float
    tolerance: float
    depths: tuple[DepthResult, ...]
    recommended_depth: int
    best_depth: int
    acceptable_depth: int
    reference_depth: int
    comparisons: tuple[Comparison, ...]
    num_trials: int
    failed: tuple[str, ...]
    depths_without_result: tuple[int, ...]
    folds: int | None = None

    def at(self, depth: int) -> DepthResult:
        """What was found at a depth."""
        return next(result for result in self.depths if result.depth == depth)

    @property
    def recommended(self) -> DepthResult:
        """What was found at the recommended depth."""
        return self.at(self.recommended_depth)

    @property
    def best(self) -> DepthResult:
        """What was found at the best depth."""
        return self.at(self.best_depth)

    @property
    def acceptable(self) -> DepthResult:
        """What was found at the cheapest acceptable depth."""
        return self.at(self.acceptable_depth)

    def sentence(self) -> str:
        """The answer and how sure it is, in plain English."""
        return f"{sentence.answer(self)} {sentence.certainty(self)}"

    def alternatives(self) -> list[str]:
        """The best score and the cheapest acceptable depth, a sentence each."""
        return sentence.alternatives(self)

    def notes(self) -> list[str]:
        """What to know before acting on it: sentences, none if all is well."""
        return sentence.notes(self)

    def to_dict(self) -> dict[str, Any]:
        """Every number and sentence, as strict JSON."""
        depths = [asdict(result) | {"cell": result.cell.to_dict()} for result in self.depths]
        return asdict(self) | {
            "depths": depths,
            "answer": sentence.answer(self),
            "certainty": sentence.certainty(self),
            "alternatives": self.alternatives(),
            "notes": self.notes(),
        }


def recommend(
    trials: Iterable[TrialResult],
    labels: LabelSpace,
    metric: str,
    higher_is_better: bool,
    *,
    num_layers: int,
    confidence: float = 0.95,
    tolerance: float | None = None,
    resamples: int = 1000,
    seed: int = 0,
    folds: int | None = None,
) -> Recommendation:
    """Answers which depth to train.

    Args:
        trials: All trials of a search, with predictions on the same validation examples.
        labels: What the labels are.
        metric: The score that decides, one of `reports.metrics.METRICS`.
        higher_is_better: Whether it does.
        num_layers: L, the layers of the encoder.
        confidence: Coverage of the intervals.
        tolerance: How much worse than the best, in the metric's units, still counts as
            acceptable; None: 0.01, and for errors and losses 5 % of the best.
        resamples: How many bootstrap resamples of the examples.
        seed: Seed of the resamples; equal seeds give equal answers.
        folds: How many folds take the place of a validation split: the predictions are those
            for all training examples, each out of its fold. None: there is a split.

    Returns:
        The answer.

    Raises:
        UserError: No trial completed, or there are fewer than 2 validation examples.
    """
    trials = unique_trials(trials)
    evidence = gather_evidence(
        trials,
        labels,
        metric,
        higher_is_better,
        confidence=confidence,
        resamples=resamples,
        seed=seed,
    )
    failed = tuple(
        f"{trial.cell.key} seed={trial.seed}: {trial.reason or 'the score is not a number'}"
        for trial in trials
        if not is_usable(trial)
    )
    if not evidence:
        raise UserError(
            ["no trial completed, so there is nothing to recommend", *failed[:20]],
            hint="See the reasons above." if failed else "Run the search first.",
        )
    sign = 1.0 if higher_is_better else -1.0
    reference = evidence[0]
    results = {e.depth: _depth_result(e, reference, metric, sign, confidence) for e in evidence}
    by_score = sorted(evidence, key=lambda e: _preference(results[e.depth], sign))
    best = results[by_score[0].depth]
    comparisons = compare_all(by_score, confidence)
    to_best = {pair.worse: pair for pair in comparisons if pair.better == best.depth}
    depths = [replace(results[d], to_best=to_best.get(d)) for d in results]
    if tolerance is None:
        tolerance = _default_tolerance(metric, best.score)
    good = [d for d in depths if d.to_best is None or d.to_best.within_one_standard_error]
    acceptable = [d for d in depths if d.to_best is None or d.to_best.at_most <= tolerance]
    tried = {trial.cell.frozen_depth for trial in trials}
    return Recommendation(
        metric=metric,
        higher_is_better=higher_is_better,
        num_layers=num_layers,
        num_examples=reference.best.num_examples,
        confidence=confidence,
        tolerance=tolerance,
        depths=tuple(depths),
        recommended_depth=_cheapest(good, sign).depth,
        best_depth=best.depth,
        acceptable_depth=_cheapest(acceptable, sign).depth,
        reference_depth=reference.depth,
        comparisons=tuple(comparisons),
        num_trials=len(trials),
        failed=failed,
        depths_without_result=tuple(sorted(tried - set(results))),
        folds=folds,
    )


def _preference(result: DepthResult, sign: float) -> tuple[float, float, float, int]:
    """Sorts the best score first; of equal ones the lowest loss, and of these the cheapest."""
    return (
        *order_of_scores(sign * result.score, result.validation_loss),
        result.seconds_per_epoch,
        result.trainable_parameters,
    )


def _default_tolerance(metric: str, best: float) -> float:
    """A share of the best where the metric has no fixed range."""
    if np.isfinite(METRICS[metric].high):
        return DEFAULT_TOLERANCE
    return DEFAULT_RELATIVE_TOLERANCE * best


def _cheapest(results: list[DepthResult], sign: float) -> DepthResult:
    """The lowest cost; of costs that are equal but for noise, the fewest parameters."""
    limit = EQUAL_COST * min(result.seconds_per_epoch for result in results)
    return min(
        (result for result in results if result.seconds_per_epoch <= limit),
        key=lambda result: (result.trainable_parameters, -sign * result.score),
    )


def _depth_result(
    evidence: DepthEvidence,
    reference: DepthEvidence,
    metric: str,
    sign: float,
    confidence: float,
) -> DepthResult:
    best, price = evidence.best, evidence.price
    found = estimate(*best.arrays(best.seeds), best.num_examples)
    downwards, upwards = (
        np.mean([resampled[seed] for seed in best.seeds], axis=0)
        for resampled in (evidence.leaning.downwards, evidence.leaning.upwards)
    )
    ends = np.array(found.interval(downwards, upwards, confidence)) - evidence.optimism
    low, high = np.clip(np.sort(sign * ends), *METRICS[metric].limits)
    variance = found.seed_variance
    return DepthResult(
        cell=best.cell,
        num_cells=evidence.num_cells,
        rate_edge=evidence.rate_edge,
        rate_told_apart=evidence.rate_told_apart,
        seeds=best.seeds,
        score=sign * (found.value - evidence.optimism),
        low=float(low),
        high=float(high),
        standard_error=found.standard_error,
        measured_score=sign * found.value,
        validation_loss=best.loss,
        optimism=evidence.optimism,
        seed_deviation=None if variance is None else float(np.sqrt(variance)),
        **asdict(price),
        relative_time=_ratio(price.seconds_per_epoch, reference.price.seconds_per_epoch),
        relative_memory=_ratio(price.peak_memory_bytes, reference.price.peak_memory_bytes),
        relative_flops=_ratio(price.step_flops, reference.price.step_flops),
    )


def _ratio(value: float | None, reference: float | None) -> float | None:
    return value / reference if value is not None and reference else None
