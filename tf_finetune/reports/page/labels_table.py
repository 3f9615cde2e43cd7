"""A learning curve's points as a table."""

from tf_finetune.reports.page import numbers
from tf_finetune.reports.page.tables import Table
from tf_finetune.results.learning_curve import CurvePoint, LearningCurve
from tf_finetune.tasks.metrics import METRICS

_NOT_MEASURED = "not tried"


def labels_table(curve: LearningCurve) -> Table:
    """One row a number of examples: the score of each way, its interval, and what it took."""
    sizes = sorted({point.examples for one in curve.ways for point in one.points})
    title = METRICS[curve.metric].title
    return Table(
        f"Validation {title} by number of training examples, with 95 % intervals",
        ("examples", *(one.way for one in curve.ways)),
        tuple((f"{size:,}", *(_cell(one.at(size)) for one in curve.ways)) for size in sizes),
        words=frozenset(),
    )


def _cell(point: CurvePoint | None) -> str:
    if point is None:
        return _NOT_MEASURED
    took = numbers.seconds(point.seconds)
    return f"{point.score:.3f} ({point.low:.3f} to {point.high:.3f}), {took}"
