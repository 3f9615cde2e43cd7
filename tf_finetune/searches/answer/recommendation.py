"""The answer of a search: which depth, at which learning rate, how sure, at what price.

At each depth the best cell is found, and of several methods that of each. By the rule
`one_standard_error` the recommended depth is the cheapest whose score is within one standard
error of the best depth's (L. Breiman et al., "Classification and Regression Trees", 1984,
section 3.4.3; T. Hastie et al., "The Elements of Statistical Learning", 2009, section 7.10).
The standard error is that of the difference of the two on the same validation examples and
seeds, not that of either score alone. By `best` it is the best; by `non_inferior` the cheapest
that is shown to lose less than the tolerance.

Scores are those on the validation examples less the optimism of having picked a depth's
best cell on them; that of picking the best depth stays in, so only the test split says
what the chosen model is worth.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace

import numpy as np

from tf_finetune.errors import UserError
from tf_finetune.results.recommendation import DepthResult, Loss, Recommendation, Rule
from tf_finetune.results.tolerance import acceptable_loss
from tf_finetune.results.trial import Cell, TrialResult, order_of_scores
from tf_finetune.searches.answer.comparison import compare_all
from tf_finetune.searches.answer.depth_evidence import (
    EQUAL_COST,
    DepthEvidence,
    gather_evidence,
    is_usable,
    unique_trials,
)
from tf_finetune.searches.answer.sentence import in_words
from tf_finetune.searches.answer.statistics import estimate
from tf_finetune.searches.leading.race.standing import Standing
from tf_finetune.tasks.labels import LabelSpace
from tf_finetune.tasks.metrics import METRICS


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
    has_pooler: bool = True,
    rule: Rule = "one_standard_error",
    race: Standing | None = None,
) -> Recommendation:
    """Answers which depth to train.

    Args:
        trials: All trials of a search, with predictions on the same validation examples.
        labels: What the labels are.
        metric: The score that decides, one of `tasks.metrics.METRICS`.
        higher_is_better: Whether it does.
        num_layers: L, the layers of the encoder.
        confidence: Coverage of the intervals.
        tolerance: How much worse than the best, in the metric's units, still counts as
            acceptable; None: 0.01, and for errors and losses 5 % of the best.
        resamples: How many bootstrap resamples of the examples.
        seed: Seed of the resamples; equal seeds give equal answers.
        folds: How many folds take the place of a validation split: the predictions are those
            for all training examples, each out of its fold. None: there is a split.
        has_pooler: Whether the model has a pooler below the head.
        rule: By which a depth is recommended.
        race: Where the race of the trials stands, if there was one: it knows the chance of single
            seeds from all cells, and what was not tried.

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
    reference = _reference(evidence)
    results = {e.place: _depth_result(e, reference, metric, sign, confidence) for e in evidence}
    by_score = sorted(evidence, key=lambda e: _preference(results[e.place], sign))
    best = results[by_score[0].place]
    comparisons = compare_all(by_score, confidence)
    to_best = {pair.worse: pair for pair in comparisons if pair.better == best.place}
    depths = [replace(results[p], to_best=to_best.get(p)) for p in results]
    tolerance = acceptable_loss(metric, best.score, tolerance)
    good = [d for d in depths if d.to_best is None or d.to_best.within_one_standard_error]
    acceptable = [d for d in depths if d.to_best is None or _is_acceptable(d, tolerance, race)]
    by_rule = {"one_standard_error": good, "best": [best], "non_inferior": acceptable}
    tried = {trial.cell.place for trial in trials}
    recommended = _cheapest(by_rule[rule], sign)
    found = Recommendation(
        metric=metric,
        higher_is_better=higher_is_better,
        num_layers=num_layers,
        num_examples=reference.best.num_examples,
        confidence=confidence,
        tolerance=tolerance,
        depths=tuple(depths),
        recommended_place=recommended.place,
        best_place=best.place,
        acceptable_place=_cheapest(acceptable, sign).place,
        reference_place=reference.place,
        comparisons=tuple(comparisons),
        num_trials=len(trials),
        failed=failed,
        places_without_result=tuple(sorted(tried - set(results), key=lambda p: p.order)),
        folds=folds,
        has_pooler=has_pooler,
        rule=rule,
        loss=_loss(recommended, best.cell, confidence, race),
        chance_right=None if race is None else race.chance_right(recommended.cell),
        has_told_all=None if race is None else race.has_told_all,
    )
    return in_words(found)


def _reference(evidence: Sequence[DepthEvidence]) -> DepthEvidence:
    """The least frozen depth of the whole encoder: what uses a part of it is cheap by its size.

    Of the methods there, the one that trains most.
    """
    whole = [found for found in evidence if found.best.cell.layers_used is None]
    if not whole:
        return evidence[-1]
    return min(whole, key=lambda e: (e.place.depth, -e.price.trainable_parameters))


def _is_acceptable(result: DepthResult, tolerance: float, race: Standing | None) -> bool:
    if race is not None:
        return race.is_right(result.cell)
    return result.to_best is not None and result.to_best.at_most <= tolerance


def _loss(
    recommended: DepthResult, best: Cell, confidence: float, race: Standing | None
) -> Loss | None:
    pair = recommended.to_best
    if pair is None:
        return None
    found = None if race is None else race.loss(recommended.cell, best, confidence)
    return found or Loss(pair.difference, pair.low, pair.high)


def _preference(result: DepthResult, sign: float) -> tuple[float, float, float, int]:
    """Sorts the best score first; of equal ones the lowest loss, and of these the cheapest."""
    return (
        *order_of_scores(sign * result.score, result.validation_loss),
        result.seconds_per_epoch,
        result.trainable_parameters,
    )


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
        relative_answer=_ratio(price.answer_flops, reference.price.answer_flops),
    )


def _ratio(value: float | None, reference: float | None) -> float | None:
    return value / reference if value is not None and reference else None
