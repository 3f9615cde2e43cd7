"""The figures of a search's depths: score against depth, and against cost."""

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from tf_finetune.reports import figures
from tf_finetune.reports.page.content import scored_on
from tf_finetune.reports.page.label_placing import Label, place_labels
from tf_finetune.results.recommendation import DepthResult, Recommendation
from tf_finetune.tasks.metrics import METRICS

WIDE_COSTS = 6.0  # costs further apart than this stand along their logarithm
# Colour and shape together tell what a depth is; what is hollow uses a part of the encoder.
RECOMMENDED: dict[str, Any] = {"marker": "D", "color": figures.VERMILLION, "markersize": 9}
BEST: dict[str, Any] = {"marker": "*", "color": figures.GREEN, "markersize": 14}
OTHER: dict[str, Any] = {"marker": "o", "color": figures.BLUE, "markersize": 6}
HOLLOW: dict[str, Any] = {"markerfacecolor": figures.PAPER, "markeredgewidth": 1.6}


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
        style = _style(answer, row)
        error = [[max(0.0, row.score - row.low)], [max(0.0, row.high - row.score)]]
        axes.errorbar(row.depth, row.score, error, capsize=3, elinewidth=1.4, zorder=3, **style)
    axes.axhline(answer.best.score, color=figures.MUTED, linewidth=0.8, linestyle=":", zorder=1)
    figures.tick_depths(axes.xaxis, [row.depth for row in answer.depths], figures.WIDTH)
    if any(_is_cut(row) for row in answer.depths):
        axes.set_xlabel(f"frozen layers of {answer.num_layers}; hollow: those above left out")
    else:
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
    marks = [(row.seconds_per_epoch, row.score) for row in answer.depths]
    for row, (x, y) in zip(answer.depths, marks, strict=True):
        # No score leaves its range, to which the ends of the interval are cut.
        bars = [[min(row.standard_error, max(0.0, side))] for side in (y - row.low, row.high - y)]
        style = _style(answer, row)
        axes.errorbar(x, y, bars, capsize=3, elinewidth=1.2, zorder=3, **style)
    axes.set_xlabel("seconds per epoch of training")
    axes.set_ylabel(f"{scored_on(answer.folds)} {METRICS[answer.metric].title}")
    axes.margins(y=0.15)
    _scale_costs(axes, [row.seconds_per_epoch for row in answer.depths])
    figures.add_grid(axes)
    place_labels(figure, axes, _labels(answer), marks)
    _legend(axes, answer, bars="± 1 standard error")
    return figure


def _style(answer: Recommendation, row: DepthResult) -> dict[str, Any]:
    style = BEST if row.depth == answer.best_depth else OTHER
    style = RECOMMENDED if row.depth == answer.recommended_depth else style
    return style | HOLLOW if _is_cut(row) else style


def _is_cut(row: DepthResult) -> bool:
    """Whether the layers above the depth are left out."""
    return row.cell.layers_used is not None


def _labels(answer: Recommendation) -> list[Label]:
    """Names of the depths, in the order in which they get room."""
    front = answer.pareto_depths
    needed = answer.recommended_depth, answer.best_depth

    def order(row: DepthResult) -> tuple[bool, bool, bool, int]:
        return row.depth not in needed, row.depth not in front, _is_cut(row), row.depth

    return [
        Label(
            row.cell.depth_words + ("" if _is_cut(row) else " frozen"),
            (row.seconds_per_epoch, row.score),
            row.depth in needed,
        )
        for row in sorted(answer.depths, key=order)
    ]


def _scale_costs(axes: Axes, seconds: Sequence[float]) -> None:
    """From 0, or along the logarithm where cheap depths would stand on a heap."""
    low, high = min(seconds), max(seconds)
    if not 0.0 < low * WIDE_COSTS < high:
        axes.set_xlim(0.0, 1.22 * high or 1.0)
        return
    axes.set_xscale("log")
    axes.set_xlim(low / 1.35, high * 1.35 * (high / low) ** 0.2)
    few = (1.0,) if high > 300 * low else (1.0, 2.0, 5.0)
    axes.xaxis.set_major_locator(LogLocator(subs=few))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, place: f"{value:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.minorticks_off()


def _legend(axes: Axes, answer: Recommendation, bars: str) -> None:
    """Names the marks, above the axes where it covers nothing."""
    same = answer.recommended_depth == answer.best_depth
    name = "recommended and best" if same else "recommended"
    marks = [(RECOMMENDED, name)] if same else [(RECOMMENDED, name), (BEST, "best score")]
    marks.append((OTHER, bars))
    if any(_is_cut(row) for row in answer.depths):
        marks.append((OTHER | HOLLOW, "first layers alone"))
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
