"""From trials to what is known about each depth: its best cell, resampled, and its price.

Where several methods are tried, a depth is one of a method.
"""

import statistics
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from tf_finetune.errors import UserError
from tf_finetune.evaluation.resampling import leaning_scores, resampled_scores
from tf_finetune.results.recommendation import RateEdge
from tf_finetune.results.trial import Cell, Place, TrialResult, order_of_scores
from tf_finetune.searches.answer.statistics import SeedEstimate, estimate, selection_optimism
from tf_finetune.tasks.labels import LabelSpace
from tf_finetune.tasks.pseudo_examples import Kind

# Costs this close are one cost: epochs of the same work differ by as much.
EQUAL_COST = 1.05


@dataclass(frozen=True)
class CellEvidence:
    """The validation scores of one cell, turned so that higher is better.

    Attributes:
        cell: The cell.
        num_examples: n, how many validation examples there are.
        scores: Score of each completed seed.
        losses: Its validation loss, which decides between equal scores.
        resampled: Scores on resamples of the examples, float64 [resamples] for each seed.
            Every cell and seed meets the same resamples. Two pseudo-examples are among them,
            the first answered rightly and the second wrongly.
    """

    cell: Cell
    num_examples: int
    scores: dict[int, float]
    losses: dict[int, float]
    resampled: dict[int, np.ndarray]

    @property
    def seeds(self) -> tuple[int, ...]:
        """The completed seeds, ascending."""
        return tuple(sorted(self.scores))

    @property
    def loss(self) -> float:
        """Mean validation loss over the seeds."""
        return statistics.fmean(self.losses.values())

    def arrays(
        self, seeds: Sequence[int], resampled: Mapping[int, np.ndarray] | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Scores [seeds] and resampled scores [seeds, resamples], perhaps others than its own."""
        resampled = self.resampled if resampled is None else resampled
        return (
            np.array([self.scores[seed] for seed in seeds]),
            np.stack([resampled[seed] for seed in seeds]),
        )


@dataclass(frozen=True)
class LeaningResamples:
    """Scores of a cell on the same resamples, its pseudo-examples answered otherwise.

    Attributes:
        mirrored: The first of two wrongly, the second rightly. Against a cell's `resampled`,
            each of the two has an example that only it answers rightly.
        downwards: One pseudo-example, answered wrongly.
        upwards: One, answered rightly.
    """

    mirrored: dict[int, np.ndarray]
    downwards: dict[int, np.ndarray]
    upwards: dict[int, np.ndarray]


@dataclass(frozen=True)
class Price:
    """What training at a depth takes: medians over its trials.

    Attributes:
        trainable_parameters: Number of parameters that are trained.
        seconds_per_epoch: Wall time of one epoch, its share of filling a prefix cache included.
        peak_memory_bytes: The most memory in use; None if not measured.
        step_flops: Floating-point operations of a step; None if unknown.
        answer_flops: Those of an answer to a text of mean length; None if unknown.
    """

    trainable_parameters: int
    seconds_per_epoch: float
    peak_memory_bytes: float | None
    step_flops: float | None
    answer_flops: float | None


@dataclass(frozen=True)
class DepthEvidence:
    """One depth.

    Attributes:
        best: Its best cell.
        leaning: What the intervals of `best` and of its differences need.
        optimism: What `best` owes to being picked; see `selection_optimism`.
        price: What it costs.
        num_cells: How many cells the best was picked from.
        rate_edge: Whether the best rate is an end of the rates tried at the depth, failed
            ones included.
        rate_told_apart: Whether every other rate is worse beyond chance.
    """

    best: CellEvidence
    leaning: LeaningResamples
    optimism: float
    price: Price
    num_cells: int
    rate_edge: RateEdge | None
    rate_told_apart: bool

    @property
    def place(self) -> Place:
        """The frozen depth, and the method."""
        return self.best.cell.place


@dataclass(frozen=True)
class _Resampler:
    """Scores predictions on resamples, turned so that higher is better."""

    labels: LabelSpace
    metric: str
    sign: float
    resamples: int
    seed: int

    def __call__(self, trial: TrialResult, *added: Kind) -> np.ndarray:
        targets, logits = trial.load_predictions()
        scores = resampled_scores(self.labels, targets, logits, self.resamples, self.seed, added)
        return self.sign * scores[self.metric]

    def leaning(self, trials: Iterable[TrialResult]) -> LeaningResamples:
        """Of the trials of one cell."""
        found = LeaningResamples({}, {}, {})
        for trial in trials:
            targets, logits = trial.load_predictions()
            leaning = leaning_scores(self.labels, targets, logits, self.resamples, self.seed)
            found.mirrored[trial.seed] = self(trial, "wrong", "right")
            found.downwards[trial.seed] = self.sign * leaning[self.metric].wrong
            found.upwards[trial.seed] = self.sign * leaning[self.metric].right
        return found


def gather_evidence(
    trials: Iterable[TrialResult],
    labels: LabelSpace,
    metric: str,
    higher_is_better: bool,
    *,
    confidence: float,
    resamples: int,
    seed: int,
) -> list[DepthEvidence]:
    """Finds the best cell of each depth.

    The best is the one with the highest mean over its seeds, of equal ones that with the
    lowest validation loss, among the cells of which no trial failed, or among all if every
    cell has a failed one.

    Args:
        trials: All trials. Of several of the same cell and seed the longest counts.
        labels: What the labels are.
        metric: The score that decides, one of `tasks.metrics.METRICS`.
        higher_is_better: Whether it does.
        confidence: 1 - confidence is the level at which a depth's rates are told apart.
        resamples: How many resamples of the examples.
        seed: Seed of the resamples.

    Returns:
        One entry for each depth that has a completed trial, by ascending depth.

    Raises:
        UserError: There are fewer than 2 validation examples.
        ValueError: Trials were scored on different examples, or predictions are not finite.
    """
    trials = _under_every_seed(unique_trials(trials))
    evidence: dict[Cell, CellEvidence] = {}
    resampled = _Resampler(labels, metric, 1.0 if higher_is_better else -1.0, resamples, seed)
    first_targets: np.ndarray | None = None
    examples = 0
    for trial in filter(is_usable, trials):
        targets, logits = trial.load_predictions()
        if first_targets is None:
            first_targets, examples = targets, labels.example_count(targets)
            if examples < 2:
                raise UserError(
                    f"data.validation: received {examples} example; accepted: at least 2, "
                    "and hundreds to tell depths apart"
                )
        if not np.array_equal(targets, first_targets):
            raise ValueError(f"{trial.cell.key} was scored on other examples than the rest")
        scores = labels.score(targets, logits)
        if not np.isfinite(scores[metric]):
            raise ValueError(f"the predictions of {trial.cell.key} are not finite, its score is")
        entry = evidence.setdefault(trial.cell, CellEvidence(trial.cell, examples, {}, {}, {}))
        entry.scores[trial.seed] = resampled.sign * scores[metric]
        entry.losses[trial.seed] = scores["loss"]
        entry.resampled[trial.seed] = resampled(trial, "right", "wrong")
    by_place: dict[Place, list[CellEvidence]] = defaultdict(list)
    for entry in evidence.values():
        by_place[entry.cell.place].append(entry)
    rng = np.random.default_rng(seed)
    return [
        _depth_evidence(by_place[place], trials, resampled, rng, 1.0 - confidence)
        for place in sorted(by_place, key=lambda place: place.order)
    ]


def paired_difference(
    one: CellEvidence, mirrored: Mapping[int, np.ndarray], other: CellEvidence
) -> SeedEstimate:
    """How much better one cell is than another, on their common seeds if there are any.

    Each of the two has one pseudo-example that only it answers rightly, so that the standard
    error is not 0 where both answer alike. For an accuracy this is the adjustment of D. G.
    Bonett and R. M. Price (Journal of Educational and Behavioral Statistics 2012), and p-values
    come close to McNemar's exact test.

    Args:
        one: A cell.
        mirrored: Its `LeaningResamples.mirrored`.
        other: Another one.
    """
    common = common_seeds(one, other)
    if common:
        pair = one.arrays(common, mirrored), other.arrays(common)
    else:
        pair = _mean_of_seeds(one, mirrored), _mean_of_seeds(other, other.resampled)
    scores, resampled = (a - b for a, b in zip(*pair, strict=True))
    return estimate(scores, resampled, one.num_examples)


def common_seeds(one: CellEvidence, other: CellEvidence) -> tuple[int, ...]:
    """The seeds that both cells completed, ascending."""
    return tuple(sorted(set(one.seeds) & set(other.seeds)))


def _mean_of_seeds(
    evidence: CellEvidence, resampled: Mapping[int, np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    scores, draws = evidence.arrays(evidence.seeds, resampled)
    return scores.mean(keepdims=True), draws.mean(axis=0, keepdims=True)


def unique_trials(trials: Iterable[TrialResult]) -> list[TrialResult]:
    """One trial for each cell and seed: a completed one first, then the longest, then the last.

    They come sorted, because parallel and resumed searches end in another order.
    """
    kept: dict[tuple[Cell, int], TrialResult] = {}

    def rank(trial: TrialResult) -> tuple[bool, int]:
        return is_usable(trial), trial.epochs or 0

    for trial in trials:
        key = trial.cell, trial.seed
        if key not in kept or rank(trial) >= rank(kept[key]):
            kept[key] = trial
    return sorted(kept.values(), key=_place)


def _under_every_seed(trials: list[TrialResult]) -> list[TrialResult]:
    """What was solved exactly counts with each seed of the others: it is the same with each."""
    seeds = sorted({trial.seed for trial in trials if not trial.cell.is_solved})
    return [
        replace(trial, seed=seed)
        for trial in trials
        for seed in (seeds if seeds and trial.cell.is_solved else (trial.seed,))
    ]


def _place(trial: TrialResult) -> tuple[int, float, str, int]:
    return trial.cell.frozen_depth, trial.cell.rate_order, trial.cell.key, trial.seed


def is_usable(trial: TrialResult) -> bool:
    """Whether the trial ended in a score; one that diverged to NaN did not."""
    return (
        trial.status == "completed" and trial.score is not None and bool(np.isfinite(trial.score))
    )


def _depth_evidence(
    cells: list[CellEvidence],
    trials: list[TrialResult],
    resampler: _Resampler,
    rng: np.random.Generator,
    alpha: float,
) -> DepthEvidence:
    at_depth = [trial for trial in trials if trial.cell.place == cells[0].cell.place]
    with_failures = {trial.cell for trial in at_depth if not is_usable(trial)}
    candidates = [cell for cell in cells if cell.cell not in with_failures] or cells
    arrays = [cell.arrays(cell.seeds) for cell in candidates]
    means = np.array([scores.mean() for scores, _ in arrays])
    resampled = np.stack([resampled.mean(axis=0) for _, resampled in arrays])
    resampled += _chance_of_seeds(candidates)[:, None] * rng.normal(size=resampled.shape)
    chosen = min(
        range(len(candidates)), key=lambda i: order_of_scores(float(means[i]), candidates[i].loss)
    )
    best = candidates[chosen]
    leaning = resampler.leaning(t for t in at_depth if is_usable(t) and t.cell == best.cell)
    alike = [t for t in at_depth if is_usable(t) and t.cell.extra == best.cell.extra]
    return DepthEvidence(
        best=best,
        leaning=leaning,
        optimism=selection_optimism(means, resampled, chosen),
        price=_price(alike),
        num_cells=len(candidates),
        rate_edge=_rate_edge(
            best.cell, {t.cell.rate_order for t in at_depth if not t.cell.is_solved}
        ),
        rate_told_apart=_is_told_apart(best, leaning, cells, alpha),
    )


def _is_told_apart(
    best: CellEvidence, leaning: LeaningResamples, cells: list[CellEvidence], alpha: float
) -> bool:
    """Whether every other rate, with options as the best cell's, is worse beyond chance."""
    others = [c for c in cells if c.cell != best.cell and c.cell.extra == best.cell.extra]
    return all(paired_difference(best, leaning.mirrored, c).p_value() < alpha for c in others)


def _chance_of_seeds(cells: list[CellEvidence]) -> np.ndarray:
    """Standard deviation of each cell's mean over its seeds, pooled over a depth, [cells]."""
    found = [estimate(*cell.arrays(cell.seeds), cell.num_examples) for cell in cells]
    known = [e.seed_variance for e in found if e.seed_variance is not None]
    pooled = statistics.mean(known) if known else 0.0
    return np.sqrt(pooled / np.array([len(cell.seeds) for cell in cells]))


def _price(trials: list[TrialResult]) -> Price:
    """Medians over trials that differ in learning rate and seed alone: those have no price.

    Of memory the smallest: a process keeps some of what earlier, larger trials took.
    """

    def median(name: str) -> float | None:
        values = [v for v in (getattr(trial, name) for trial in trials) if v is not None]
        return statistics.median(values) if values else None

    peaks = [t.peak_memory_bytes for t in trials if t.peak_memory_bytes is not None]
    return Price(
        trainable_parameters=trials[0].trainable_parameters or 0,
        seconds_per_epoch=median("seconds_per_epoch") or 0.0,
        peak_memory_bytes=min(peaks, default=None),
        step_flops=median("step_flops"),
        answer_flops=median("answer_flops"),
    )


def _rate_edge(cell: Cell, rates: set[float]) -> RateEdge | None:
    if cell.is_solved:
        return None
    if len(rates) == 1:
        return "only"
    if cell.learning_rate == min(rates):
        return "lowest"
    return "highest" if cell.learning_rate == max(rates) else None
