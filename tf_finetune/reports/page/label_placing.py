"""Labels beside marks that lie close together: no label covers another one, or a mark."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

from tf_finetune.reports import figures

_MARK_POINTS = 5.0  # half the size of a mark
_AWAY_POINTS = 8.0  # of a label from its mark
# Where a label may stand, the best first: to which side, and how far up.
_SIDES = ((1, 0), (-1, 0), (1, 1), (-1, 1), (1, -1), (-1, -1), (0, 1), (0, -1))
_ALONG: dict[int, Any] = {1: {"ha": "left"}, 0: {"ha": "center"}, -1: {"ha": "right"}}
_ACROSS: dict[int, Any] = {1: {"va": "bottom"}, 0: {"va": "center"}, -1: {"va": "top"}}


class Label(NamedTuple):
    """A text to stand beside a mark.

    Attributes:
        text: What it says.
        at: The mark, in the units of the data.
        is_needed: Whether it is written even where nothing but a covered place is left.
    """

    text: str
    at: tuple[float, float]
    is_needed: bool = False


def place_labels(
    figure: Figure, axes: Axes, labels: Sequence[Label], marks: Sequence[tuple[float, float]]
) -> list[str]:
    """Writes the labels, the first ones first, each where it covers nothing.

    Args:
        figure: The whole one.
        axes: Whose limits and scales are final.
        labels: In the order of their importance.
        marks: All marks, in the units of the data.

    Returns:
        The texts for which there was no room.
    """
    figure.draw_without_rendering()
    points = figure.dpi / 72  # pixels
    taken = [_box(axes, mark, _MARK_POINTS * points) for mark in marks]
    left_out = []
    for label in labels:
        note = axes.annotate(
            label.text,
            label.at,
            xytext=(0, 0),
            textcoords="offset points",
            fontsize=figures.SMALL_TEXT,
            # Lines may run below a label, but not through its letters.
            bbox={"facecolor": figures.PAPER, "edgecolor": "none", "alpha": 0.8, "pad": 0.4},
            zorder=4,
        )
        size = note.get_window_extent()
        places = [
            (_covered(box, taken, axes.get_window_extent()), index, box)
            for index, box in enumerate(_boxes(axes, label.at, size, points))
        ]
        covered, index, box = min(places, key=lambda place: place[:2])
        if covered and not label.is_needed:
            note.remove()
            left_out.append(label.text)
            continue
        side, up = _SIDES[index]
        note.set(**_ALONG[side], **_ACROSS[up])
        note.set_position((_offset(side, up), _offset(up, side)))
        taken.append(box)
    return left_out


def _offset(along: int, across: int) -> float:
    """Points from the mark on one axis; less where a label stands aslant."""
    return along * _AWAY_POINTS * (0.7 if across else 1.0)


def _boxes(axes: Axes, at: tuple[float, float], size: Bbox, points: float) -> list[Bbox]:
    """Where the label would stand on each side, in pixels."""
    x, y = axes.transData.transform(at)
    found = []
    for side, up in _SIDES:
        middle_x = x + points * _offset(side, up) + side * size.width / 2
        middle_y = y + points * _offset(up, side) + up * size.height / 2
        corner = middle_x - size.width / 2, middle_y - size.height / 2
        found.append(Bbox.from_bounds(*corner, size.width, size.height))
    return found


def _box(axes: Axes, at: tuple[float, float], half: float) -> Bbox:
    x, y = axes.transData.transform(at)
    return Bbox.from_bounds(x - half, y - half, 2 * half, 2 * half)


def _covered(box: Bbox, taken: Sequence[Bbox], room: Bbox) -> float:
    """Pixels that a label would share with others, or have outside the axes."""
    inside = Bbox.intersection(box, room)
    outside = box.width * box.height - (inside.width * inside.height if inside else 0.0)
    shared = (Bbox.intersection(box, other) for other in taken)
    return round(max(0.0, outside), 6) + sum(s.width * s.height for s in shared if s)
