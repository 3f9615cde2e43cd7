"""The figures of a search: score against depth and cost, and the score of every cell."""

import math
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullFormatter

from tf_finetune.reports import figures
from tf_finetune.reports.page.content import TrialRow, scored_on
from tf_finetune.reports.page.numbers import rate, score
from tf_finetune.results.recommendation import DepthResult, Recommendation
from tf_finetune.results.trial import order_of_rate
from tf_finetune.tasks.metrics import METRICS

MOST_RATES = 10  # more learning rates than this are drawn as points
# Colour and shape together tell what a depth is.
RECOMMENDED: dict[str, Any] = {"marker": "D", "color": figures.VERMILLION, "markersize": 9}
BEST: dict[str, Any] = {"marker": "*", "color": figures.GREEN, "markersize": 14}
OTHER: dict[str, Any] = {"marker": "o", "color": figures.BLUE, "markersize": 6}


def score_by_depth_figure(answer: Recommendation) -> Figure:
    """Draws each depth's score with its interval, and how far it may fall below the best.

    The shaded box of a depth reaches one standard error of its difference to the best below
    the best: the rule takes a depth whose mark is in its box for as good as the best.
    """
    figure, axes = figures.blank_figure(figures.WIDTH, 2.9)
    sign = 1.0 if answer.higher_is_better else -1.0
    half = 0.42 * min(_gaps([row.depth for row in answer.depths]), default=1.0)
    boxes = [(row, row.to_best) for row in answer.depths if row.to_best is not None]
    for index, (row, to_best) in enumerate(boxes):
        # What the best depth scores on what both have in common.
        best = row.score + sign * to_best.difference
        low, high = sorted((best, best - sign * to_best.standard_error))
        label = "1 SE below best" if index == 0 else None
        box: dict[str, Any] = {
            "facecolor": figures.BAND,
            "edgecolor": figures.MUTED,
            "linewidth": 0.6,
        }
        axes.fill_between([row.depth - half, row.depth + half], low, high, label=label, **box)
    for row in answer.depths:
        style = _style(answer, row.depth)
        error = [[max(0.0, row.score - row.low)], [max(0.0, row.high - row.score)]]
        axes.errorbar(row.depth, row.score, error, capsize=4, elinewidth=1.4, zorder=3, **style)
    axes.axhline(answer.best.score, color=figures.MUTED, linewidth=0.8, linestyle=":", zorder=1)
    axes.set_xticks([row.depth for row in answer.depths])
    axes.set_xlabel(f"frozen layers of {answer.num_layers}  (0 trains everything)")
    axes.set_ylabel(f"{scored_on(answer.folds)} {METRICS[answer.metric].title}")
    axes.margins(x=0.08)
    figures.add_grid(axes)
    _legend(axes, answer, bars=f"{100 * answer.confidence:g} % interval")
    return figure


def cost_figure(answer: Recommendation) -> Figure:
    """Draws each depth's score over its time an epoch, with the Pareto front."""
    figure, axes = figures.blank_figure(figures.WIDTH, 2.9)
    front = [answer.at(depth) for depth in answer.pareto_depths]
    axes.plot(
        *_stairs(front),
        color=figures.MUTED,
        linewidth=1.4,
        linestyle="--",
        label="Pareto front",
        zorder=1,
    )
    for row in answer.depths:
        style = _style(answer, row.depth)
        x, y = row.seconds_per_epoch, row.score
        # No score leaves its range, to which the ends of the interval are cut.
        bars = [[min(row.standard_error, max(0.0, side))] for side in (y - row.low, row.high - y)]
        axes.errorbar(x, y, bars, capsize=3, elinewidth=1.2, zorder=3, **style)
        told = (answer.recommended_depth, answer.best_depth)
        if row.cell.layers_used is not None and row.depth not in told:
            continue  # many cheap ones lie close together
        offset = (8, 7 if row in front else -13)
        text = row.cell.depth_words + ("" if row.cell.layers_used is not None else " frozen")
        axes.annotate(text, (x, y), offset, textcoords="offset points", fontsize=figures.SMALL_TEXT)
    axes.set_xlabel("seconds per epoch of training")
    axes.set_ylabel(f"{scored_on(answer.folds)} {METRICS[answer.metric].title}")
    axes.set_xlim(0.0, 1.22 * max(row.seconds_per_epoch for row in answer.depths) or 1.0)
    axes.margins(y=0.15)
    figures.add_grid(axes)
    _legend(axes, answer, bars="± 1 standard error")
    return figure


def cells_figure(
    trials: Sequence[TrialRow], answer: Recommendation, metric: str, higher_is_better: bool
) -> Figure:
    """Draws the score of every learning rate at every depth, best over further options.

    Args:
        trials: All trials.
        answer: Tells the recommended cell and the best of each depth.
        metric: The monitored score.
        higher_is_better: Whether it is.
    """
    means = _cell_means(trials, higher_is_better)
    depths = sorted({trial.depth for trial in trials})
    rates = sorted({trial.learning_rate for trial in trials}, key=order_of_rate)
    values = np.array(list(means.values())) if means else np.zeros(1)
    # A diverged cell must not take all the contrast from the others.
    low, high = np.percentile(values, [10, 100] if higher_is_better else [0, 90])
    if low == high:
        low, high = low - 0.5, high + 0.5
    # Dark is good, whichever way that is.
    colormap = colormaps[figures.COUNTS_COLORMAP if higher_is_better else "Blues_r"]
    height = min(4.4, max(1.6, 0.42 * min(len(rates), MOST_RATES) + 0.4))
    figure, axes = figures.blank_figure(figures.WIDTH, height)
    shade = _Shade(colormap, float(low), float(high))
    if len(rates) > MOST_RATES:
        _draw_points(axes, means, depths, shade, answer)
    else:
        _draw_cells(axes, trials, means, (depths, rates), shade, answer)
    axes.set_xlabel("frozen layers")
    axes.set_ylabel("learning rate")
    title = METRICS[metric].title
    axes.set_title(
        f"{scored_on(answer.folds)} {title} as measured, mean over seeds",
        fontsize=figures.TEXT_SIZE,
        loc="left",
    )
    return figure


class _Shade:
    """From scores to the colours of cells and of the text on them."""

    def __init__(self, colormap: Any, low: float, high: float):
        self._colormap, self._low, self._high = colormap, low, high

    def cell(self, value: float) -> Any:
        share = np.clip((value - self._low) / (self._high - self._low), 0.0, 1.0)
        return self._colormap(0.06 + 0.84 * share)

    def text(self, value: float) -> str:
        red, green, blue = self.cell(value)[:3]
        return figures.CELL_INK if 0.3 * red + 0.59 * green + 0.11 * blue > 0.55 else "#fefefe"


def _draw_cells(
    axes: Axes,
    trials: Sequence[TrialRow],
    means: dict[tuple[int, float | None], float],
    places: tuple[list[int], list[float | None]],
    shade: _Shade,
    answer: Recommendation,
) -> None:
    depths, rates = places
    for trial in trials:
        x, y = depths.index(trial.depth), rates.index(trial.learning_rate)
        key = (trial.depth, trial.learning_rate)
        if key not in means:
            axes.text(x, y, "failed", ha="center", va="center", fontsize=figures.SMALL_TEXT)
    for (depth, learning_rate), value in means.items():
        x, y = depths.index(depth), rates.index(learning_rate)
        box = [x - 0.48, x + 0.48]
        axes.fill_between(box, y - 0.46, y + 0.46, color=shade.cell(value), linewidth=0)
        text: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": figures.TEXT_SIZE}
        mark = _cell_mark(answer, depth, learning_rate)
        weight = "bold" if mark else "normal"
        axes.text(x, y, mark + score(value), color=shade.text(value), weight=weight, **text)
    axes.set_xticks(range(len(depths)), [str(depth) for depth in depths])
    axes.set_yticks(range(len(rates)), [rate(value) for value in rates])
    axes.set_xlim(-0.5, len(depths) - 0.5)
    axes.set_ylim(-0.5, len(rates) - 0.5)


def _draw_points(
    axes: Axes,
    means: dict[tuple[int, float | None], float],
    depths: list[int],
    shade: _Shade,
    answer: Recommendation,
) -> None:
    rates = [learning_rate for _, learning_rate in means if learning_rate is not None]
    above_all = 2 * max(rates)  # the place of a head that is solved exactly
    for (depth, learning_rate), value in means.items():
        mark = _cell_mark(answer, depth, learning_rate)
        height = above_all if learning_rate is None else learning_rate
        axes.plot(
            depth,
            height,
            marker="D" if "◆" in mark else "o",
            markersize=11 if mark else 8,
            color=shade.cell(value),
            markeredgecolor=figures.VERMILLION if "◆" in mark else figures.MUTED,
            markeredgewidth=2.0 if "◆" in mark else 0.8,
        )
        if mark:
            label, near = score(value), (9, -3)
            point = (depth, height)
            axes.annotate(
                label, point, near, textcoords="offset points", fontsize=figures.SMALL_TEXT
            )
    axes.set_yscale("log")
    ticks = _decade_ticks(min(rates), max(rates))
    names = [rate(tick) for tick in ticks]
    if len(rates) < len(means):
        ticks, names = [*ticks, above_all], [*names, rate(None)]
    axes.yaxis.set_major_locator(FixedLocator(ticks))
    axes.yaxis.set_ticklabels(names)
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.minorticks_off()
    axes.set_xticks(depths)
    axes.margins(x=0.15)
    figures.add_grid(axes)


def _decade_ticks(low: float, high: float) -> list[float]:
    """1, 2 and 5 times the powers of ten between two rates, or the two."""
    powers = range(math.floor(math.log10(low)) - 1, math.ceil(math.log10(high)) + 1)
    ticks = [float(f"{digit}e{power}") for power in powers for digit in (1, 2, 5)]
    return [tick for tick in ticks if 0.95 * low <= tick <= 1.05 * high] or [low, high]


def _cell_means(
    trials: Sequence[TrialRow], higher_is_better: bool
) -> dict[tuple[int, float | None], float]:
    """Mean score over seeds by depth and rate, of the best among further options."""
    # Hyperband tries a cell for few epochs first: of a cell and seed the longest counts.
    longest: dict[tuple[int, float | None, str, int], TrialRow] = {}
    for trial in filter(lambda trial: trial.completed, trials):
        key = (trial.depth, trial.learning_rate, repr(sorted(trial.extra.items())), trial.seed)
        if key not in longest or (trial.epochs or 0) >= (longest[key].epochs or 0):
            longest[key] = trial
    scores: dict[tuple[int, float | None, str], list[float]] = defaultdict(list)
    for (depth, learning_rate, extra, _), trial in longest.items():
        scores[depth, learning_rate, extra].append(trial.score or 0.0)
    choose = max if higher_is_better else min
    means: dict[tuple[int, float | None], float] = {}
    for (depth, learning_rate, _), values in scores.items():
        mean = sum(values) / len(values)
        means[depth, learning_rate] = choose(means.get((depth, learning_rate), mean), mean)
    return means


def _cell_mark(answer: Recommendation, depth: int, learning_rate: float | None) -> str:
    """◆ on the recommended cell, ★ on that of the best depth, • on the best of a depth."""
    best_of_depth = {row.depth: row.learning_rate for row in answer.depths}
    if depth not in best_of_depth or best_of_depth[depth] != learning_rate:
        return ""
    if depth == answer.recommended_depth:
        return "◆ "
    return "★ " if depth == answer.best_depth else "• "


def _style(answer: Recommendation, depth: int) -> dict[str, Any]:
    if depth == answer.recommended_depth:
        return RECOMMENDED
    return BEST if depth == answer.best_depth else OTHER


def _legend(axes: Axes, answer: Recommendation, bars: str) -> None:
    """Names the marks, above the axes where it covers nothing."""
    same = answer.recommended_depth == answer.best_depth
    name = "recommended and best" if same else "recommended"
    marks = [(RECOMMENDED, name)] if same else [(RECOMMENDED, name), (BEST, "best score")]
    marks.append((OTHER, bars))
    for style, label in marks:
        axes.plot([], [], linestyle="none", label=label, **{**style, "markersize": 7})
    axes.legend(**figures.LEGEND_OUTSIDE, ncols=2, columnspacing=1.4, handlelength=1.6)


def _stairs(front: Sequence[DepthResult]) -> tuple[list[float], list[float]]:
    """The front as steps: until the next depth costs as much, the last one is the best."""
    xs: list[float] = []
    ys: list[float] = []
    for row in front:
        if ys:
            xs.append(row.seconds_per_epoch)
            ys.append(ys[-1])
        xs.append(row.seconds_per_epoch)
        ys.append(row.score)
    return xs, ys


def _gaps(depths: Sequence[int]) -> list[float]:
    return [float(after - before) for before, after in zip(depths, depths[1:], strict=False)]
