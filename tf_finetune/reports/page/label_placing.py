"""Labels beside marks that lie close together: no label covers another one, or a mark."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

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
    room = np.array(axes.get_window_extent().extents)
    at = axes.transData.transform([label.at for label in labels] or np.zeros((0, 2)))
    middles = axes.transData.transform(marks or np.zeros((0, 2)))
    half = _MARK_POINTS * points
    taken = np.concatenate([middles - half, middles + half], axis=1)
    left_out = []
    for label, place in zip(labels, at, strict=True):
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
        boxes = _boxes(place, np.array([size.width, size.height]), points)
        covered = _shared(boxes, taken).sum(axis=1) + _outside(boxes, room)
        best = int(covered.argmin())
        if covered[best] and not label.is_needed:
            note.remove()
            left_out.append(label.text)
            continue
        side, up = _SIDES[best]
        note.set(**_ALONG[side], **_ACROSS[up])
        note.set_position((_offset(side, up), _offset(up, side)))
        taken = np.concatenate([taken, boxes[best : best + 1]])
    return left_out


def _offset(along: int, across: int) -> float:
    """Points from the mark on one axis; less where a label stands aslant."""
    return along * _AWAY_POINTS * (0.7 if across else 1.0)


def _boxes(place: np.ndarray, size: np.ndarray, points: float) -> np.ndarray:
    """Where a label would stand on each side: left, bottom, right, top in pixels, [sides, 4]."""
    sides = np.array(_SIDES)
    away = np.array([(_offset(side, up), _offset(up, side)) for side, up in _SIDES])
    middles = place + points * away + sides * size / 2
    return np.concatenate([middles - size / 2, middles + size / 2], axis=1)


def _shared(boxes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Pixels that boxes share with others, [boxes, others]."""
    low = np.maximum(boxes[:, None, :2], others[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], others[None, :, 2:])
    return np.prod(np.maximum(high - low, 0.0), axis=2)


def _outside(boxes: np.ndarray, room: np.ndarray) -> np.ndarray:
    """Pixels that boxes have outside a room, [boxes]."""
    area = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    return np.round(area - _shared(boxes, room[None])[:, 0], 6)
