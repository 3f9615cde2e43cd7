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
from tf_finetune.results.trial import Place
from tf_finetune.tasks.metrics import METRICS

WIDE_COSTS = 6.0  # costs further apart than this stand along their logarithm
# Colour and shape together tell what a depth is; what is hollow uses a part of the encoder.
RECOMMENDED: dict[str, Any] = {"marker": "D", "color": figures.VERMILLION, "markersize": 9}
BEST: dict[str, Any] = {"marker": "*", "color": figures.GREEN, "markersize": 14}
OTHER: dict[str, Any] = {"marker": "o", "color": figures.BLUE, "markersize": 6}
# Of several methods, each has one of these in place of all of those shapes.
SHAPES: tuple[dict[str, Any], ...] = (
    {"marker": "o", "color": figures.BLUE, "markersize": 6},
    {"marker": "s", "color": figures.ORANGE, "markersize": 6},
    {"marker": "^", "color": figures.PURPLE, "markersize": 7},
    {"marker": "v", "color": figures.SKY, "markersize": 7},
    {"marker": "P", "color": figures.INK, "markersize": 7},
    {"marker": "X", "color": figures.MUTED, "markersize": 7},
    {"marker": "p", "color": figures.BLUE, "markersize": 7},
    {"marker": "h", "color": figures.ORANGE, "markersize": 7},
)
HOLLOW: dict[str, Any] = {"markerfacecolor": figures.PAPER, "markeredgewidth": 1.6}


def score_by_depth_figure(answer: Recommendation) -> Figure:
    """Draws each depth's score with its interval, and how far it may fall below the best.

    The shaded box of a depth reaches one standard error of its difference to the best below
    the best: the rule takes a depth whose mark is in its box for as good as the best.
    """
    figure, axes = figures.blank_figure(figures.WIDTH, 2.9)
    sign = 1.0 if answer.higher_is_better else -1.0
    room = 0.42 * min(_gaps(sorted({row.depth for row in answer.depths})), default=1.0)
    half = room / len(_groups(answer))
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
        at = _beside(answer, row, room)
        axes.fill_between([at - half, at + half], low, high, label=label, **box)
    for row in answer.depths:
        style = _style(answer, row)
        error = [[max(0.0, row.score - row.low)], [max(0.0, row.high - row.score)]]
        at = _beside(answer, row, room)
        axes.errorbar(at, row.score, error, capsize=3, elinewidth=1.4, zorder=3, **style)
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
    axes.plot(
        *_stairs(answer.pareto_front),
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


def _groups(answer: Recommendation) -> list[str | None]:
    """The methods, and None for what is of none, each of which has a mark of its own."""
    return list(dict.fromkeys(row.place.method for row in answer.depths))


def _beside(answer: Recommendation, row: DepthResult, room: float) -> float:
    """Where a depth stands: of several methods beside each other."""
    groups = _groups(answer)
    step = 2 * room / len(groups)
    return row.depth + step * (groups.index(row.place.method) - (len(groups) - 1) / 2)


def _shape(answer: Recommendation, method: str | None) -> dict[str, Any]:
    """The mark of a method; of the only one, that of a depth."""
    place = _groups(answer).index(method)
    return SHAPES[place % len(SHAPES)] if answer.methods else OTHER


def _style(answer: Recommendation, row: DepthResult) -> dict[str, Any]:
    style = _shape(answer, row.place.method)
    kept = {"marker": style["marker"]} if answer.methods else {}
    style = BEST | kept if row.place == answer.best_place else style
    style = RECOMMENDED | kept if row.place == answer.recommended_place else style
    return style | HOLLOW if _is_cut(row) else style


def _is_cut(row: DepthResult) -> bool:
    """Whether the layers above the depth are left out."""
    return row.cell.layers_used is not None


def _labels(answer: Recommendation) -> list[Label]:
    """Names of the depths, in the order in which they get room."""
    front = answer.pareto_front
    needed = answer.recommended_place, answer.best_place

    def order(row: DepthResult) -> tuple[bool, bool, bool, int]:
        return row.place not in needed, row not in front, _is_cut(row), row.depth

    return [
        Label(
            row.cell.depth_words + ("" if _is_cut(row) else " frozen"),
            (row.seconds_per_epoch, row.score),
            row.place in needed,
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
    same = answer.recommended_place == answer.best_place
    name = "recommended and best" if same else "recommended"
    marks = [(RECOMMENDED, name)] if same else [(RECOMMENDED, name), (BEST, "best score")]
    if answer.methods:
        mark, name = marks[0]
        own = f"{name}, {bars}"  # its mark is that of its method
        marks = [(mark | _marker(answer, answer.recommended), own)]
        marks += [(BEST | _marker(answer, answer.best), "best score")] if not same else []
        marks += [(_shape(answer, method), _method_name(method)) for method in _groups(answer)]
    else:
        marks.append((OTHER, bars))
    if any(_is_cut(row) for row in answer.depths):
        marks.append((OTHER | HOLLOW, "first layers alone"))
    for style, label in marks:
        axes.plot([], [], linestyle="none", label=label, **{**style, "markersize": 7})
    axes.legend(**figures.LEGEND_OUTSIDE, ncols=2, columnspacing=1.4, handlelength=1.6)


def _marker(answer: Recommendation, row: DepthResult) -> dict[str, Any]:
    return {"marker": _shape(answer, row.place.method)["marker"]}


def _method_name(method: str | None) -> str:
    return Place(0, method).method_name or "the head alone"


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
