"""Figures of a model's outputs, drawn without a display and without pyplot's global state."""

import io
import math
import warnings
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure

from tf_finetune.reports.console import printable

DPI = 144
WIDTH = 3.8  # inches: about a phone's, so that text stays readable on one
TEXT_SIZE = 10.0
SMALL_TEXT = 9.0
NAME_CHARACTERS = 24
CHARACTER_WIDTH = 0.65  # of a usual character, in units of the text size
INK = "#222222"
MUTED = "#8a8a8a"
GRID = "#e3e6ea"
PAPER = "#ffffff"
BAND = "#e8f1f8"
FROZEN, FROZEN_HATCH = "#eef0f3", "#c9ced6"
# On the light and the dark cells of a matrix, whatever colour the page has: no colours of it.
CELL_INK, CELL_PAPER = "#111111", "#fefefe"
# The colours of M. Okabe and K. Ito, "Color Universal Design", 2008: told apart by every
# kind of eye. Figures never tell by colour alone.
BLUE, VERMILLION, GREEN = "#0072b2", "#d55e00", "#009e73"
ORANGE, PURPLE, SKY = "#e69f00", "#cc79a7", "#56b4e9"
# One hue from light to dark: its order survives colour blindness and grey printing.
COUNTS_COLORMAP = "Blues"
# matplotlib's own font first; the others hold the scripts that it lacks, where installed.
FONTS = ("DejaVu Sans", "Noto Sans CJK JP", "Noto Sans CJK SC", "Noto Sans", "Arial Unicode MS")
MOST_CLASSES_WITH_COUNTS = 40
# Above the axes it covers no data.
LEGEND_OUTSIDE: dict[str, Any] = {
    "loc": "lower left",
    "bbox_to_anchor": (-0.02, 1.0),
    "frameon": False,
    "borderaxespad": 0.2,
    "fontsize": SMALL_TEXT,
}


def confusion_figure(matrix: Sequence[Sequence[int]] | np.ndarray, names: Sequence[str]) -> Figure:
    """Draws how often each class was taken for each other.

    Args:
        matrix: int [C, C], examples by true (row) and predicted class (column).
        names: The C class names.

    Returns:
        A figure whose colours are shares of the true class and whose cells hold the counts.
    """
    counts = np.asarray(matrix)
    totals = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, totals, out=np.zeros(counts.shape), where=totals > 0)
    inches = float(np.clip(0.42 * len(names), 2.4, 14.0))
    figure, axes = blank_figure(inches, inches)
    image = axes.imshow(shares, cmap=COUNTS_COLORMAP, vmin=0.0, vmax=1.0)
    cell_points = 72 * inches / len(names)
    _name_classes(axes, names, cell_points)
    if len(names) <= MOST_CLASSES_WITH_COUNTS:
        _write_counts(axes, counts, shares, cell_points)
    axes.set_xlabel("predicted", labelpad=8)
    axes.set_ylabel("true", labelpad=8)
    # An inset keeps the bar as tall as the matrix whatever the names need.
    bar_axes = axes.inset_axes((1.0 + 0.15 / inches, 0.0, 0.16 / inches, 1.0))
    bar = figure.colorbar(image, cax=bar_axes, ticks=[0.0, 0.5, 1.0], format="{x:.0%}")
    bar.set_label("share of the true class")
    bar.outline.set_visible(False)
    if bar.solids is not None:
        bar.solids.set_rasterized(True)  # one picture in an SVG, not 256 rectangles
    bar_axes.tick_params(length=0)
    return figure


def regression_figure(targets: np.ndarray, predictions: np.ndarray) -> Figure:
    """Draws predictions over targets, with the line on which both are equal.

    Args:
        targets: float [n].
        predictions: float [n]; pairs that are not finite are left out.

    Returns:
        A figure with equal scales.
    """
    pairs = np.column_stack([targets, predictions]).astype(np.float64)
    pairs = pairs[np.isfinite(pairs).all(axis=1)]
    low, high = (pairs.min(), pairs.max()) if len(pairs) else (0.0, 1.0)
    margin = 0.04 * (high - low) or max(0.5, 0.05 * abs(high))
    limits = (low - margin, high + margin)
    figure, axes = blank_figure(4.2, 4.2)
    axes.plot(limits, limits, color=VERMILLION, linewidth=1.2, label="predicted = true")
    # Fainter and smaller points when there are many, so that dense places stand out.
    crowding = float(np.clip(len(pairs) / 200, 1.0, 50.0))
    axes.scatter(
        pairs[:, 0],
        pairs[:, 1],
        s=24 / crowding**0.4,
        alpha=max(0.15, 0.7 / crowding**0.4),
        color=BLUE,
        linewidths=0,
    )
    axes.set(xlim=limits, ylim=limits, xlabel="true", ylabel="predicted", aspect="equal")
    axes.grid(color=MUTED, alpha=0.25, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), frameon=False, borderaxespad=0.2)
    return figure


def png_bytes(figure: Figure) -> bytes:
    """The figure as a PNG file."""
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        # A class name in a script without an installed font is drawn as boxes.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure.savefig(buffer, format="png", dpi=DPI, bbox_inches="tight", pad_inches=0.1)
    return buffer.getvalue()


class _Shown(Figure):
    """A figure that a notebook shows: pyplot does not know of it, so nothing else would."""

    def _repr_png_(self) -> bytes:
        return png_bytes(self)


def blank_figure(width: float, height: float) -> tuple[Figure, Axes]:
    """An empty figure whose axes measure these inches, in the style of all figures."""
    figure = _Shown(figsize=(width, height))
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    plain_axes(axes)
    return figure, axes


def plain_axes(axes: Axes) -> None:
    """Takes away all lines but the data's."""
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.tick_params(length=0, colors=INK, labelsize=TEXT_SIZE)


def add_grid(axes: Axes) -> None:
    """Adds faint lines behind the data."""
    axes.grid(color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)


def tick_depths(axis: Axis, depths: Collection[int], inches: float) -> None:
    """Numbers an axis of depths, every second or third where there is no room for all.

    Args:
        axis: The axis.
        depths: What stands there.
        inches: The length of the axis.
    """
    low, high = min(depths), max(depths)
    widest = (len(str(high)) + 0.6) * CHARACTER_WIDTH * TEXT_SIZE
    step = max(1, math.ceil(widest * (high - low) / (72 * inches)))
    axis.set_ticks([depth for depth in sorted(depths) if not depth % step])


def _name_classes(axes: Axes, names: Sequence[str], cell_points: float) -> None:
    shown = [printable(name, NAME_CHARACTERS) for name in names]
    text_size = min(TEXT_SIZE, 0.42 * cell_points)
    fits = max(map(len, shown)) * CHARACTER_WIDTH * text_size < cell_points
    turned: dict[str, Any] = (
        {} if fits else {"rotation": 45, "ha": "right", "rotation_mode": "anchor"}
    )
    # parse_math off: a $ in a class name is a dollar, not a formula.
    style: dict[str, Any] = {
        "fontsize": text_size,
        "fontfamily": installed_fonts(),
        "parse_math": False,
    }
    axes.set_xticks(range(len(names)), shown, **style, **turned)
    axes.set_yticks(range(len(names)), shown, **style)


def _write_counts(axes: Axes, counts: np.ndarray, shares: np.ndarray, cell_points: float) -> None:
    """Writes each cell's count, white on dark; zeros stay empty so that errors stand out."""
    longest = len(str(counts.max())) + 1
    text_size = min(TEXT_SIZE, 0.42 * cell_points, cell_points / (CHARACTER_WIDTH * longest))
    for row, column in np.argwhere(counts):
        axes.text(
            column,
            row,
            str(counts[row, column]),
            ha="center",
            va="center",
            fontsize=text_size,
            color=CELL_PAPER if shares[row, column] > 0.55 else CELL_INK,
        )


def installed_fonts() -> list[str]:
    """Names of the fonts to draw a user's text with."""
    installed = set(font_manager.fontManager.get_font_names())
    return [font for font in FONTS if font in installed]
