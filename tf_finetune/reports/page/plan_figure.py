"""The freeze plan as a stack of layers, the input at the bottom."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from matplotlib.figure import Figure

from tf_finetune.reports import figures
from tf_finetune.reports.page import numbers

ROW_INCHES = 0.3


@dataclass(frozen=True)
class Place:
    """A layer or another part of the model.

    Attributes:
        name: Such as "layer 3" or "head".
        parameters: How many it has.
        trained: How many of them are trained.
        rules: What decided that, in words.
    """

    name: str
    parameters: int
    trained: int
    rules: str


def places_of(plan: Mapping[str, Any]) -> list[Place]:
    """Sums the rows of a plan by layer, from the input to the output.

    Args:
        plan: What `FreezePlan.to_dict` gives.
    """
    by_place: dict[str, list[Mapping[str, Any]]] = {}
    for row in plan["rows"]:
        name = row["part"] if row["layer"] is None else f"layer {row['layer']}"
        by_place.setdefault(name, []).append(row)
    return [
        Place(
            name=name,
            parameters=sum(row["count"] for row in rows),
            trained=sum(row["count"] for row in rows if row["trainable"]),
            rules=", ".join(dict.fromkeys(row["rule"] for row in rows)),
        )
        for name, rows in by_place.items()
    ]


def plan_figure(places: list[Place]) -> Figure:
    """Draws one bar a place: hatched where it is frozen, filled where it is trained.

    A place of which only some parameters are trained is filled for their share.
    """
    figure, axes = figures.blank_figure(2.9, ROW_INCHES * len(places))
    for level, place in enumerate(places):
        share = place.trained / place.parameters if place.parameters else 0.0
        axes.barh(
            level, 1.0, 0.84, facecolor=figures.FROZEN, hatch="////", edgecolor=figures.FROZEN_HATCH
        )
        if share:
            axes.barh(level, share, 0.84, facecolor=figures.BLUE, edgecolor=figures.BLUE)
        inside = share > 0.6
        state = "frozen" if not share else "trained" if share == 1.0 else f"{share:.0%} trained"
        axes.text(
            0.04,
            level,
            place.name,
            va="center",
            fontsize=figures.SMALL_TEXT,
            color="#fefefe" if inside else figures.INK,
            weight="bold" if inside else "normal",
        )
        axes.text(
            1.04,
            level,
            f"{state}, {numbers.count(place.parameters)}",
            va="center",
            fontsize=figures.SMALL_TEXT,
        )
    axes.set_axis_off()
    axes.set_xlim(0.0, 1.0)
    axes.set_ylim(-0.5, len(places) - 0.5)
    return figure
