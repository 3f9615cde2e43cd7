"""How the score grows with the number of labels, by the way to train."""

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

_INTERVAL = (2.5, 97.5)  # percent


class CurvePoint(NamedTuple):
    """What a way to train came to on a part of the training examples.

    Attributes:
        examples: Of the part.
        score: Mean over its draws.
        low: Lower end of its 95 % interval, from resamples of the validation examples.
        high: Upper end.
        draws: Parts of that size that were trained on.
        seconds: Of a training on it, all told.
    """

    examples: int
    score: float
    low: float
    high: float
    draws: int
    seconds: float


class MeasuredPoint(NamedTuple):
    """A point with its score on each resample of the validation examples.

    Attributes:
        examples: Of the part.
        score: Mean over its draws.
        resampled: The same on resamples, float64 [resamples]; the same ones for every point.
        draws: Parts of that size.
        seconds: Of a training on it.
    """

    examples: int
    score: float
    resampled: np.ndarray
    draws: int
    seconds: float

    @property
    def point(self) -> CurvePoint:
        """With its interval."""
        low, high = np.percentile(self.resampled, _INTERVAL)
        return CurvePoint(
            self.examples, self.score, float(low), float(high), self.draws, self.seconds
        )


class Doubled(NamedTuple):
    """What twice the examples would change, as far as the last doublings go on.

    Attributes:
        change: Of the score; over 0 is better.
        low: Lower end of its 95 % interval.
        high: Upper end.
    """

    change: float
    low: float
    high: float


@dataclass(frozen=True)
class WayCurve:
    """The points of one way to train, the fewest examples first.

    Attributes:
        way: What it is, in words.
        points: At least one.
    """

    way: str
    points: tuple[CurvePoint, ...]

    def at(self, examples: int) -> CurvePoint | None:
        """The point of a part; None: it was not measured."""
        return next((point for point in self.points if point.examples == examples), None)


@dataclass(frozen=True)
class LearningCurve:
    """Several ways to train on growing parts of the training examples.

    Attributes:
        metric: The score.
        ways: The curves.
        doubled: What twice the examples would bring to the way that is best with all of them;
            None: there are too few points to say.
        sentences: What that means, in words.
    """

    metric: str
    ways: tuple[WayCurve, ...]
    doubled: Doubled | None
    sentences: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "metric": self.metric,
            "ways": [
                {"way": one.way, "points": [point._asdict() for point in one.points]}
                for one in self.ways
            ],
            "doubled": None if self.doubled is None else self.doubled._asdict(),
            "sentences": list(self.sentences),
        }


def best_at(ways: Mapping[str, list[MeasuredPoint]], examples: int, sign: float) -> str | None:
    """The way with the best score on parts of a size; None: none was measured.

    Args:
        ways: Measured points of each.
        examples: Of the parts.
        sign: 1 where a higher score is better, else -1.
    """
    scores = {
        way: sign * point.score
        for way, points in ways.items()
        for point in points
        if point.examples == examples
    }
    return max(scores, key=lambda way: scores[way]) if scores else None


def crossings(
    ways: Mapping[str, list[MeasuredPoint]], sign: float
) -> list[tuple[str, str, int, int]]:
    """Where another way becomes the best: the way before and after, and the examples between.

    A way that was tried with fewer examples only is overtaken by none.
    """
    measured = {way: {point.examples for point in points} for way, points in ways.items()}
    sizes = sorted(set().union(*measured.values()))
    found = []
    for fewer, more in itertools.pairwise(sizes):
        before, after = best_at(ways, fewer, sign), best_at(ways, more, sign)
        if before is None or after is None or before == after:
            continue
        if all(size in measured[way] for size in (fewer, more) for way in (before, after)):
            found.append((before, after, fewer, more))
    return found


def doubling(points: list[MeasuredPoint]) -> Doubled | None:
    """What twice the examples would change: a line through the last points over log2(examples).

    A score of which the steps grow smaller lies below the line, so this is what to hope for at
    most where the curve bends.

    Args:
        points: Of one way, the fewest examples first; the last three are used.
    """
    last = points[-3:]
    if len(last) < 2:
        return None
    sizes = np.array([math.log2(point.examples) for point in last])
    centred = sizes - sizes.mean()

    def slope(scores: np.ndarray) -> np.ndarray:
        return centred @ scores / (centred @ centred)

    change = float(slope(np.array([point.score for point in last])))
    low, high = np.percentile(slope(np.stack([point.resampled for point in last])), _INTERVAL)
    return Doubled(change, float(low), float(high))
