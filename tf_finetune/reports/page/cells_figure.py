"""The score of every cell: a row for each depth, learning rates from left to right.

Of several methods each has a panel with the rates of its own; all have the same shades.
"""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullFormatter

from tf_finetune.reports import figures
from tf_finetune.reports.page.content import TrialRow
from tf_finetune.reports.page.numbers import rate, score
from tf_finetune.results.recommendation import DepthResult, Recommendation
from tf_finetune.results.trial import Cell, Place, order_of_rate
from tf_finetune.tasks.metrics import METRICS

MOST_COLUMNS = 6  # more learning rates than this are drawn as points
LEAST_FILLED = 0.5  # of a table of cells: else points, too
ROW_INCHES = 0.27
PANEL_INCHES = 0.62  # between two panels, for the rates of one and the name of the other
_BEST_COLUMN = 1.03  # where the best score of a row of points stands, in widths of the axes


class Row(NamedTuple):
    """What has a row of its own.

    Attributes:
        depth: The frozen depth.
        used: How many first layers are used alone; 0: all.
        words: Its name.
    """

    depth: int
    used: int
    words: str

    @classmethod
    def of(cls, cell: Cell) -> "Row":
        """The row of a cell."""
        return cls(cell.frozen_depth, cell.layers_used or 0, cell.depth_words)


Spot = tuple[Row, float | None]  # and the learning rate


@dataclass(frozen=True)
class _Cells:
    """What is drawn.

    Attributes:
        means: Mean score over seeds.
        failed: Where nothing completed.
        marks: Of the cells that stand for a depth.
        best: Of each row with a score the best.
    """

    means: Mapping[Spot, float]
    failed: Set[Spot]
    marks: Mapping[Spot, str]
    best: Mapping[Row, Spot]

    @property
    def tried(self) -> Set[Spot]:
        return self.means.keys() | self.failed

    @cached_property
    def rows(self) -> list[Row]:
        return sorted({row for row, _ in self.tried})

    @cached_property
    def rates(self) -> list[float | None]:
        return sorted({learning_rate for _, learning_rate in self.tried}, key=order_of_rate)

    def label(self, place: Spot) -> str:
        return self.marks.get(place, "") + score(self.means[place])

    def weight(self, place: Spot) -> str:
        return "bold" if place in self.marks else "normal"


class _Shade:
    """From scores to the colours of cells and of the text on them; dark is good."""

    def __init__(self, values: Sequence[float], higher_is_better: bool):
        # A diverged cell must not take all the contrast from the others.
        ends = [10, 100] if higher_is_better else [0, 90]
        low, high = np.percentile(values or [0.0], ends)
        self._low, self._high = (low, high) if low < high else (low - 0.5, high + 0.5)
        self._colormap = colormaps[figures.COUNTS_COLORMAP if higher_is_better else "Blues_r"]

    def cell(self, value: float) -> Any:
        share = np.clip((value - self._low) / (self._high - self._low), 0.0, 1.0)
        return self._colormap(0.06 + 0.84 * share)

    def text(self, value: float) -> str:
        red, green, blue = self.cell(value)[:3]
        return figures.CELL_INK if 0.3 * red + 0.59 * green + 0.11 * blue > 0.55 else "#fefefe"


def cells_figure(
    trials: Sequence[TrialRow],
    answer: Recommendation,
    metric: str,
    higher_is_better: bool,
    scored_on: str = "validation",
) -> Figure:
    """Draws the score of every learning rate of each row, best over further options.

    A table of cells where rates are few and most were tried at most depths, else points.

    Args:
        trials: All trials.
        answer: Tells the recommended cell and the best of each depth.
        metric: The monitored score.
        higher_is_better: Whether it is.
        scored_on: What the examples are that trials are scored on.
    """
    by_method: dict[str | None, list[TrialRow]] = defaultdict(list)
    for trial in sorted(trials, key=lambda trial: trial.cell.method or ""):
        by_method[trial.cell.method].append(trial)
    panels = {m: _gather(own, answer, higher_is_better) for m, own in by_method.items()}
    values = [value for cells in panels.values() for value in cells.means.values()]
    shade = _Shade(values, higher_is_better)
    inches = [max(1.1, ROW_INCHES * len(cells.rows)) for cells in panels.values()]
    total = sum(inches) + PANEL_INCHES * (len(panels) - 1)
    figure, top = Figure(figsize=(figures.WIDTH, total)), total
    title = f"{scored_on} {METRICS[metric].title} as measured, mean over seeds"
    for (method, cells), height in zip(panels.items(), inches, strict=True):
        axes = figure.add_axes((0.0, (top - height) / total, 1.0, height / total))
        figures.plain_axes(axes)
        _draw(axes, cells, shade)
        name = Place(0, method).method_name or ("the head alone" if len(panels) > 1 else "")
        words = "\n".join(filter(None, (title if top == total else "", name)))
        axes.set_title(words, fontsize=figures.TEXT_SIZE, loc="left")
        top -= height + PANEL_INCHES
    axes.set_xlabel("learning rate")
    return figure


def _draw(axes: Axes, cells: _Cells, shade: _Shade) -> None:
    """One panel."""
    rows, rates = cells.rows, cells.rates
    filled = len(cells.tried) / max(1, len(rows) * len(rates))
    draw = _draw_points if len(rates) > MOST_COLUMNS or filled < LEAST_FILLED else _draw_table
    draw(axes, cells, shade)
    axes.set_yticks(range(len(rows)), [row.words for row in rows])
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_ylabel("frozen layers")


def _draw_table(axes: Axes, cells: _Cells, shade: _Shade) -> None:
    text: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": figures.SMALL_TEXT}
    for level, row in enumerate(cells.rows):
        for column, learning_rate in enumerate(cells.rates):
            place = row, learning_rate
            if place in cells.means:
                color = shade.cell(cells.means[place])
                box = [column - 0.48, column + 0.48]
                axes.fill_between(box, level - 0.46, level + 0.46, color=color, linewidth=0)
                ink = shade.text(cells.means[place])
                weight = cells.weight(place)
                axes.text(column, level, cells.label(place), color=ink, weight=weight, **text)
            elif place in cells.failed:
                axes.text(column, level, "failed", **text)
            else:
                axes.text(column, level, "·", color=figures.MUTED, **text)
    axes.set_xticks(range(len(cells.rates)), [rate(value) for value in cells.rates])
    axes.set_xlim(-0.5, len(cells.rates) - 0.5)


def _draw_points(axes: Axes, cells: _Cells, shade: _Shade) -> None:
    rates = [learning_rate for learning_rate in cells.rates if learning_rate is not None]
    # The place of a head that is solved exactly, beyond the highest rate.
    solved = rates[-1] * max(2.0, (rates[-1] / rates[0]) ** 0.15)
    for (row, learning_rate), value in cells.means.items():
        mark = cells.marks.get((row, learning_rate), "")
        is_recommended = "◆" in mark
        axes.plot(
            solved if learning_rate is None else learning_rate,
            cells.rows.index(row),
            marker="D" if is_recommended else "o",
            markersize=9 if mark else 7,
            color=shade.cell(value),
            markeredgecolor=figures.VERMILLION if is_recommended else figures.MUTED,
            markeredgewidth=2.0 if is_recommended else 1.6 if mark else 0.8,
        )
    for row, learning_rate in cells.failed:
        x = solved if learning_rate is None else learning_rate
        axes.plot(x, cells.rows.index(row), marker="x", markersize=6, color=figures.MUTED)
    for row, place in cells.best.items():  # in a column of its own, where it covers nothing
        axes.text(
            _BEST_COLUMN,
            cells.rows.index(row),
            cells.label(place),
            transform=axes.get_yaxis_transform(),
            va="center",
            fontsize=figures.SMALL_TEXT,
            weight=cells.weight(place),
        )
    ticks = _rate_ticks(rates[0], rates[-1])
    names = [rate(tick) for tick in ticks]
    if None in cells.rates:
        ticks, names = [*ticks, solved], [*names, rate(None)]
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(FixedLocator(ticks))
    axes.xaxis.set_ticklabels(names)
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.minorticks_off()
    axes.margins(x=0.06)
    figures.add_grid(axes)


def _rate_ticks(low: float, high: float) -> list[float]:
    """1, 2 and 5 times the powers of ten between two rates, or fewer where these are many."""
    powers = range(math.floor(math.log10(low)) - 1, math.ceil(math.log10(high)) + 1)
    for digits in ((1, 2, 5), (1, 3), (1,)):
        ticks = [float(f"{digit}e{power}") for power in powers for digit in digits]
        ticks = [tick for tick in ticks if 0.95 * low <= tick <= 1.05 * high]
        if len(ticks) <= MOST_COLUMNS:
            break
    return ticks if len(ticks) > 1 else sorted({low, high})


def _gather(trials: Sequence[TrialRow], answer: Recommendation, higher_is_better: bool) -> _Cells:
    methods = {trial.cell.method for trial in trials}
    results = [result for result in answer.depths if result.place.method in methods]
    means, marks = _cell_means(trials, higher_is_better), _marks(results, answer)
    sign = 1.0 if higher_is_better else -1.0
    # Of equal ones that which stands for its depth, and so the last.
    ascending = sorted(means, key=lambda place: (sign * means[place], place in marks))
    best = {place[0]: place for place in ascending}
    failed = {(Row.of(trial.cell), trial.learning_rate) for trial in trials} - means.keys()
    return _Cells(means, failed, marks, best)


def _cell_means(trials: Sequence[TrialRow], higher_is_better: bool) -> dict[Spot, float]:
    """Mean score over seeds, of the best among further options."""
    # Hyperband tries a cell for few epochs first: of a cell and seed the longest counts.
    longest: dict[tuple[Cell, int], TrialRow] = {}
    for trial in filter(lambda trial: trial.completed, trials):
        key = trial.cell, trial.seed
        if key not in longest or (trial.epochs or 0) >= (longest[key].epochs or 0):
            longest[key] = trial
    scores: dict[Cell, list[float]] = defaultdict(list)
    for (cell, _), trial in longest.items():
        scores[cell].append(trial.score or 0.0)
    choose = max if higher_is_better else min
    means: dict[Spot, float] = {}
    for cell, values in scores.items():
        mean, place = sum(values) / len(values), (Row.of(cell), cell.learning_rate)
        means[place] = choose(means.get(place, mean), mean)
    return means


def _marks(results: Sequence[DepthResult], answer: Recommendation) -> dict[Spot, str]:
    """◆ on the recommended cell, ★ on that of the best depth, • on the best of a depth."""
    found = {}
    for result in results:
        mark = "★ " if result.place == answer.best_place else "• "
        mark = "◆ " if result.place == answer.recommended_place else mark
        found[Row.of(result.cell), result.learning_rate] = mark
    return found
