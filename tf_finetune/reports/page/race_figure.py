"""A race as a picture: the trials in their order, and how sure the answer became."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from tf_finetune.reports import figures
from tf_finetune.reports.page.label_placing import Label, place_labels
from tf_finetune.reports.page.numbers import clock
from tf_finetune.reports.page.race_steps import Kind, RaceStep
from tf_finetune.results.recommendation import Recommendation
from tf_finetune.results.trial import Place

WIDTH = 7.2  # inches: of the page, not of half of it
DEPTH_INCHES = 0.24
CHANCE_INCHES = 1.0
_MOST_TICKS = 9
_MARKS: dict[Kind, dict[str, Any]] = {
    Kind.SOLVED: {"marker": "s", "color": figures.MUTED, "markerfacecolor": figures.PAPER},
    Kind.NEW_DEPTH: {"marker": "^", "color": figures.ORANGE},
    Kind.OTHER_CELL: {"marker": "o", "color": figures.BLUE},
    Kind.OTHER_SEED: {"marker": "P", "color": figures.GREEN},
    Kind.FAILED: {"marker": "x", "color": figures.INK},
}
_RECOMMENDED: dict[str, Any] = {
    **{"marker": "D", "color": figures.VERMILLION, "markerfacecolor": "none"},
    **{"markeredgewidth": 1.6, "linestyle": "none"},
}


def race_figure(
    steps: Sequence[RaceStep], answer: Recommendation, asked: float | None = None
) -> Figure:
    """Draws each trial at its depth in the order of the race, and below the chance to be right.

    Args:
        steps: Of the race.
        answer: What came of it.
        asked: The probability at which a race ends.
    """
    chances = _chances(steps, answer)
    levels = _levels(steps, answer)
    low, high = (end(levels.values()) for end in (min, max))
    inches = min(3.8, max(1.5, DEPTH_INCHES * (high - low + 1)))
    below = CHANCE_INCHES + 0.25 if chances else 0.0
    height = inches + below
    figure = Figure(figsize=(WIDTH, height))
    above = figure.add_axes((0.0, below / height, 1.0, inches / height))
    figures.plain_axes(above)
    last = steps[-1].number
    above.set_xlim(-0.6, last + max(0.6, 0.02 * last))
    above.set_ylim(high + 0.6, low - 0.6)
    if answer.methods:
        above.set_yticks([*levels.values()], [_place_name(place) for place in levels])
    else:
        figures.tick_depths(above.yaxis, range(low, high + 1), 2 * inches)
    above.set_ylabel("frozen layers")
    _draw_steps(figure, above, steps, levels, answer)
    lowest = above
    if chances:
        lowest = figure.add_axes((0.0, 0.0, 1.0, CHANCE_INCHES / height), sharex=above)
        figures.plain_axes(lowest)
        above.tick_params(labelbottom=False)
        _draw_chances(lowest, chances, answer, last, asked)
    _name_trials(lowest, steps)
    return figure


def _levels(steps: Sequence[RaceStep], answer: Recommendation) -> dict[Place, int]:
    """The height of each depth; of several methods a line for each depth and method."""
    places = sorted({step.trial.cell.place for step in steps}, key=lambda place: place.order)
    return {p: number if answer.methods else p.depth for number, p in enumerate(places)}


def _place_name(place: Place) -> str:
    return ", ".join(filter(None, (str(place.depth), place.method_name)))


def _draw_steps(
    figure: Figure,
    axes: Axes,
    steps: Sequence[RaceStep],
    levels: Mapping[Place, int],
    answer: Recommendation,
) -> None:
    points = 72 * WIDTH / max(1, steps[-1].number)
    size = min(7.0, max(3.5, 0.75 * points))
    places = [(step.number, levels[step.trial.cell.place]) for step in steps]
    raced = [place for place in places if place[0]]
    axes.plot(*zip(*raced, strict=True), color=figures.MUTED, linewidth=0.7, zorder=1)
    for kind, style in _MARKS.items():
        at = [place for place, step in zip(places, steps, strict=True) if step.kind is kind]
        if at:
            axes.plot(
                *zip(*at, strict=True), linestyle="none", markersize=size, label=kind.value, **style
            )
    chosen = [
        place
        for place, step in zip(places, steps, strict=True)
        if step.trial.cell == answer.recommended.cell
    ]
    if chosen:
        axes.plot(*zip(*chosen, strict=True), markersize=1.9 * size, zorder=3, **_RECOMMENDED)
        axes.plot([], [], label="of what is recommended", markersize=8, **_RECOMMENDED)
    figures.add_grid(axes)
    axes.legend(**figures.LEGEND_OUTSIDE, ncols=3, columnspacing=1.6, handlelength=1.2)
    labels = [Label(step.label, place) for place, step in zip(places, steps, strict=True)]
    place_labels(figure, axes, [label for label in labels if label.text], places)


def _chances(steps: Sequence[RaceStep], answer: Recommendation) -> list[tuple[int, float]]:
    """After how many trials the likeliest answer was right with which probability.

    The last is that of the answer, where there is one.
    """
    found = {
        step.number - 1: step.turn.chance_right
        for step in steps
        if step.turn.chance_right is not None
    }
    if answer.chance_right is not None:
        found[steps[-1].number] = answer.chance_right
    return sorted(found.items())


def _draw_chances(
    axes: Axes,
    chances: Sequence[tuple[int, float]],
    answer: Recommendation,
    last: int,
    asked: float | None,
) -> None:
    xs, ys = zip(*chances, strict=True)
    axes.plot(xs, ys, color=figures.BLUE, marker="o", markersize=3.5, linewidth=1.4)
    if answer.chance_right is not None:
        axes.plot(last, answer.chance_right, marker="D", markersize=7, color=figures.VERMILLION)
    if asked is not None:
        axes.axhline(asked, color=figures.MUTED, linewidth=0.9, linestyle="--")
    axes.set_ylim(0.0, 1.1)
    axes.set_yticks([0.0, 0.5, 1.0])
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.set_ylabel("right with")
    figures.add_grid(axes)


def _name_trials(axes: Axes, steps: Sequence[RaceStep]) -> None:
    """The number of a trial, and the time of all trials until its end."""
    ended = {step.number: step.ended for step in steps}
    last = steps[-1].number
    stride = -(-last // _MOST_TICKS)
    # The last one in any case, and none so near it that their names would meet.
    ticks = [n for n in range(stride, last, stride) if last - n > 0.6 * stride]
    ticks = [*([0] if 0 in ended else []), *ticks, last]
    names = [f"{n or 'first answer'}\n{clock(ended[n])}" for n in ticks]
    axes.set_xticks(ticks, names)
    axes.set_xlabel("trials, and the time until their end (minutes:seconds)")
