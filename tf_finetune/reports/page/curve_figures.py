"""Learning curves: training loss and validation score by epoch."""

import math
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from tf_finetune.reports import figures
from tf_finetune.reports.page.content import TrialRow
from tf_finetune.results.trial import order_of_rate
from tf_finetune.tasks.metrics import METRICS

_RATE_STYLES: tuple[dict[str, Any], ...] = (
    {"color": figures.BLUE, "linestyle": "-", "marker": "o"},
    {"color": figures.ORANGE, "linestyle": "--", "marker": "s"},
    {"color": figures.GREEN, "linestyle": "-.", "marker": "^"},
    {"color": figures.PURPLE, "linestyle": ":", "marker": "D"},
    {"color": figures.SKY, "linestyle": (0, (5, 1)), "marker": "v"},
    {"color": figures.VERMILLION, "linestyle": (0, (1, 1)), "marker": "P"},
    {"color": figures.INK, "linestyle": (0, (3, 1, 1, 1)), "marker": "X"},
)

_MOST_COLUMNS = 4  # of the legend


class _Way(NamedTuple):
    """How trials at one depth were trained."""

    rate: float
    method: str


class CurveLimits:
    """Common axes of the learning curves of several depths.

    Losses far above the rest, as of a diverged trial, are cut off.

    Args:
        trials: All that are drawn.
        metric: The validation score.
    """

    def __init__(self, trials: Sequence[TrialRow], metric: str):
        self._epochs = _longest(trial for trial in trials if not trial.is_solved)
        names = ("loss", "val_loss") if len(trials) == 1 else ("loss",)  # what is drawn
        self._loss = _limits([v for t in trials for name in names for v in _series(t, name)[1]])
        self._score = _limits([v for t in trials for v in _series(t, f"val_{metric}")[1]])

    def apply(self, above: Axes, below: Axes, trials: Sequence[TrialRow]) -> None:
        """Sets them for some of the trials; a path of penalties has a length of its own."""
        solved = _longest(trial for trial in trials if trial.is_solved)
        below.set_xlim(0.8, (solved or self._epochs or 1) + 0.2)
        if self._loss:
            above.set_ylim(*self._loss)
        if self._score:
            below.set_ylim(*self._score)


def curves_figure(
    trials: Sequence[TrialRow],
    metric: str,
    recommended: Iterable[TrialRow] = (),
    title: str = "",
    limits: CurveLimits | None = None,
    scored_on: str = "validation",
) -> Figure:
    """Draws training loss and validation score of some trials by epoch.

    Args:
        trials: Those to draw; each learning rate, and each method at it, has its colour, line
            and marker, and each seed a line.
        metric: The validation score; of the loss, the other panel shows it too.
        recommended: Those to draw thick.
        title: What the trials have in common.
        limits: Axes to share with other figures.
        scored_on: What the examples are that are not trained on.
    """
    figure = Figure(figsize=(figures.WIDTH, 3.9))
    above = figure.add_axes((0.0, 0.53, 1.0, 0.47))
    below = figure.add_axes((0.0, 0.0, 1.0, 0.47), sharex=above)
    for axes in (above, below):
        figures.plain_axes(axes)
    thick = list(recommended)
    rates = sorted({_way(trial) for trial in trials})
    named: set[_Way] = set()
    for trial in trials:
        way = _way(trial)
        style = _RATE_STYLES[rates.index(way) % len(_RATE_STYLES)]
        style = {**style, "markersize": 4, "linewidth": 2.6 if trial in thick else 1.1}
        label = None if way in named else ", ".join(filter(None, (trial.rate_words, way.method)))
        named.add(way)
        above.plot(*_series(trial, "loss"), label=label, **style)
        below.plot(*_series(trial, f"val_{metric}"), **style)
        if metric != "loss" and len(trials) == 1:
            other = {**_RATE_STYLES[1], "markersize": 4, "linewidth": 1.6}
            above.lines[-1].set_label("training")
            above.plot(*_series(trial, "val_loss"), label=scored_on, **other)
    above.tick_params(labelbottom=False)
    above.set_ylabel("loss" if len(trials) == 1 else "training loss")
    below.set_ylabel(f"{scored_on} {METRICS[metric].title}")
    below.set_xlabel(place_name(trials))
    below.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8))
    if limits is not None:
        limits.apply(above, below, trials)
    for axes in (above, below):
        figures.add_grid(axes)
    columns = min(_MOST_COLUMNS, max(2, len(rates)))
    if title:
        lines = math.ceil(len(rates) / columns)  # of the legend, which stands below the title
        pad = 10 + 14 * lines
        above.set_title(title, fontsize=figures.TEXT_SIZE, loc="left", pad=pad)
    if rates and any(trial.history for trial in trials):
        shape: dict[str, Any] = {"ncols": columns, "columnspacing": 1.2, "handlelength": 2.2}
        above.legend(**figures.LEGEND_OUTSIDE, **shape)
    return figure


def place_name(trials: Iterable[TrialRow]) -> str:
    """What the entries of these trials' histories are."""
    names = sorted({"penalty, the largest first" if t.is_solved else "epoch" for t in trials})
    return " or ".join(names)


def _way(trial: TrialRow) -> _Way:
    """With the method where the search tries several."""
    return _Way(order_of_rate(trial.learning_rate), trial.cell.place.method_name)


def _longest(trials: Iterable[TrialRow]) -> int:
    return max((len(trial.history) for trial in trials), default=0)


def _series(trial: TrialRow, name: str) -> tuple[list[int], list[float]]:
    """Epochs and values of one entry of the history, where it is a number."""
    found = [
        (epoch, value)
        for epoch, entry in enumerate(trial.history, start=1)
        if (value := entry.get(name)) is not None and math.isfinite(value)
    ]
    return [epoch for epoch, _ in found], [value for _, value in found]


def _limits(values: Sequence[float]) -> tuple[float, float] | None:
    if not values:
        return None
    # Three times the usual spread holds every curve that is of any use.
    low, high = np.percentile(values, [0, 90])
    top = min(max(values), high + 3 * (high - low) + 1e-9)
    margin = 0.06 * (top - low) or 0.05 * abs(top) or 0.1
    return float(low - margin), float(top + margin)
