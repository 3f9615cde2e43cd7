"""Score against the number of labels, for each way to train."""

from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator

from tf_finetune.reports import figures
from tf_finetune.results.learning_curve import LearningCurve
from tf_finetune.tasks.metrics import METRICS

_STYLES: tuple[dict[str, Any], ...] = (
    {"color": figures.BLUE, "linestyle": "-", "marker": "o"},
    {"color": figures.ORANGE, "linestyle": "--", "marker": "s"},
    {"color": figures.GREEN, "linestyle": "-.", "marker": "^"},
)
_WIDTH, _HEIGHT = 7.2, 2.6  # inches: of the page, not of half of it
_APART = (
    1.015  # what marks of one size stand aside, so that their intervals do not cover each other
)


def labels_figure(curve: LearningCurve) -> Figure:
    """Draws the curve of each way with 95 % intervals; each doubling is as wide as the next."""
    figure = Figure(figsize=(_WIDTH, _HEIGHT))
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    figures.plain_axes(axes)
    for number, one in enumerate(curve.ways):
        sizes = [point.examples * _APART ** (number - 1) for point in one.points]
        scores = [point.score for point in one.points]
        below = [point.score - point.low for point in one.points]
        above = [point.high - point.score for point in one.points]
        axes.errorbar(
            sizes,
            scores,
            # A mean can lie outside the resamples' interval where all of them are alike.
            yerr=[[max(0.0, v) for v in below], [max(0.0, v) for v in above]],
            label=one.way,
            markersize=5,
            linewidth=1.4,
            elinewidth=0.8,
            capsize=2,
            **_STYLES[number % len(_STYLES)],
        )
    axes.set_xscale("log", base=2)
    ticks = sorted({point.examples for one in curve.ways for point in one.points})
    axes.xaxis.set_major_locator(FixedLocator(ticks))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xticklabels([f"{size:,}" for size in ticks])
    axes.set_xlabel("training examples")
    axes.set_ylabel(f"validation {METRICS[curve.metric].title}")
    figures.add_grid(axes)
    axes.legend(**figures.LEGEND_OUTSIDE, ncols=1)
    return figure
