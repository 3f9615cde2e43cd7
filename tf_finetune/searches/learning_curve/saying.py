"""What a learning curve says, in sentences."""

from collections.abc import Mapping, Sequence

from tf_finetune.results.learning_curve import Doubled, MeasuredPoint, best_at, crossings
from tf_finetune.tasks.metrics import METRICS


def sentences_of(
    ways: Mapping[str, list[MeasuredPoint]], metric: str, sign: float, doubled: Doubled | None
) -> tuple[str, ...]:
    """Which way wins today, where another one took over, and what more labels would bring.

    Args:
        ways: Measured points of each way.
        metric: The score.
        sign: 1 where a higher score is better, else -1.
        doubled: What twice the examples would bring to the best way.
    """
    most = max(point.examples for points in ways.values() for point in points)
    best = best_at(ways, most, sign)
    assert best is not None, "somebody has a point at the largest size"
    score, title = _score(ways[best], most), METRICS[metric].title
    level = [way for way in ways if way != best and _score(ways[way], most) == score]
    beside = f", level with {' and '.join(level)}" if level else ""
    said = [f"With all {most:,} training examples {best} is best{beside}: {title} {score:.3f}."]
    for before, after, fewer, more in crossings(ways, sign):
        is_level = _score(ways[before], more) == _score(ways[after], more)
        met = "draws level with" if is_level else "overtakes"
        said.append(f"Between {fewer:,} and {more:,} examples {after} {met} {before}.")
    if doubled is not None:
        change, ends = sign * doubled.change, sorted((sign * doubled.low, sign * doubled.high))
        told = "may bring" if ends[0] > 0 else "are not sure to bring anything:"
        said.append(
            f"Twice the labels {told} {change:+.3f} ({ends[0]:+.3f} to {ends[1]:+.3f}), if the "
            "last doublings go on; where a curve bends, less."
        )
    return tuple(said)


def _score(points: Sequence[MeasuredPoint], examples: int) -> float | None:
    return next((point.score for point in points if point.examples == examples), None)
