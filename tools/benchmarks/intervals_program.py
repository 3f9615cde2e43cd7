"""Simulates test sets and counts how often their intervals cover; see `intervals.py`."""

import argparse
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from tf_finetune.evaluation.intervals import with_intervals
from tf_finetune.options.evaluation import EvaluationConfig
from tf_finetune.tasks.classes import Classes
from tf_finetune.tasks.labels import LabelSpace
from tf_finetune.tasks.several_classes import SeveralClasses
from tf_finetune.tasks.values import Values

_SIZES = (20, 30, 100)
_MANY = 1_000_000
_LABELS = 6

# From a generator, the number of examples and the share that is right: targets and logits.
Draw = Callable[[np.random.Generator, int, float], tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Population:
    """Examples and the answers of a made-up model.

    Attributes:
        name: What it is.
        labels: What its labels are.
        draw: Draws some.
        rights: Shares of right answers to try.
    """

    name: str
    labels: LabelSpace
    draw: Draw
    rights: tuple[float, ...]


def main() -> None:
    """Prints a JSON line a row: `covers` has a metric's two shares, ours and the bootstrap's."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", type=int, required=True)
    parser.add_argument("--resamples", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    arguments = parser.parse_args()
    evaluation = EvaluationConfig(bootstrap_resamples=arguments.resamples)
    for population in _populations():
        for right in population.rights:
            truth_of = np.random.default_rng([arguments.seed, 99])
            truth = population.labels.score(*population.draw(truth_of, _MANY, right))
            for examples in _SIZES:
                covers = _count(population, truth, right, examples, evaluation, arguments)
                row = {"task": population.name, "right": right, "examples": examples}
                print(json.dumps(row | {"covers": covers}), flush=True)


def _count(
    population: Population,
    truth: dict[str, float],
    right: float,
    examples: int,
    evaluation: EvaluationConfig,
    arguments: argparse.Namespace,
) -> dict[str, tuple[float, float]]:
    covered = {name: np.zeros(2) for name in truth}
    for number in range(arguments.sets):
        rng = np.random.default_rng([arguments.seed, number, examples])
        targets, logits = population.draw(rng, examples, right)
        ours = with_intervals(population.labels, targets, logits, evaluation, seed=number)
        weights = rng.multinomial(
            examples, np.full(examples, 1 / examples), size=evaluation.bootstrap_resamples
        )
        plain = population.labels.scored(targets, logits).scores(weights.astype(np.float64))
        for name, value in truth.items():
            low, high = np.quantile(plain[name], [0.025, 0.975])
            covered[name] += (
                ours[name]["low"] <= value <= ours[name]["high"],
                low <= value <= high,
            )
    return {name: tuple((count / arguments.sets).tolist()) for name, count in covered.items()}


def _populations() -> Iterator[Population]:
    rights = (0.9, 0.99)
    yield Population("2 classes", _classes(2), _one_of((0.5, 0.5)), rights)
    shares = (0.6, 0.2, 0.15, 0.05)
    yield Population("4 classes", _classes(4), _one_of(shares), rights)
    several = SeveralClasses(tuple("abcdef"[:_LABELS]))
    yield Population("6 labels", several, _several, rights)
    for error in (0.5, 0.1):
        yield Population(f"numbers, off by {error}", Values(), _near(error), (1.0,))


def _classes(number: int) -> LabelSpace:
    return Classes(tuple(map(str, range(number))))


def _one_of(shares: tuple[float, ...]) -> Draw:
    """One class of several; a wrong answer is any other."""
    classes = len(shares)

    def draw(rng: np.random.Generator, n: int, right: float) -> tuple[np.ndarray, np.ndarray]:
        targets = rng.choice(classes, size=n, p=shares).astype(np.int32)
        wrong = (targets + rng.integers(1, classes, size=n)) % classes
        answers = np.where(rng.random(n) < right, targets, wrong)
        logits = rng.normal(size=(n, classes))
        logits[np.arange(n), answers] = logits.max(axis=1) + np.abs(rng.normal(3, 1, size=n)) + 0.01
        return targets, logits

    return draw


def _several(rng: np.random.Generator, n: int, right: float) -> tuple[np.ndarray, np.ndarray]:
    """Labels that apply in 30 % of the texts; a wrong answer has at least one of them wrong."""
    targets = (rng.random((n, _LABELS)) < 0.3).astype(np.float32)
    flipped = rng.random((n, _LABELS)) < 0.35
    flipped[np.arange(n), rng.integers(_LABELS, size=n)] = True
    wrong = (rng.random(n) >= right)[:, None] & flipped
    answers = np.where(wrong, 1 - targets, targets)
    return targets, (2 * answers - 1) * (np.abs(rng.normal(3, 1, size=(n, _LABELS))) + 0.01)


def _near(error: float) -> Draw:
    """Standard normal numbers, missed by normal errors of a deviation."""

    def draw(rng: np.random.Generator, n: int, right: float) -> tuple[np.ndarray, np.ndarray]:
        targets = rng.normal(size=n).astype(np.float32)
        return targets, (targets + error * rng.normal(size=n))[:, None]

    return draw


if __name__ == "__main__":
    main()
