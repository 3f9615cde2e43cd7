"""Who runs: the cells of the search space, those beyond its edges, and those in the journal."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from tf_finetune.results.trial import Cell
from tf_finetune.searches.leading.space import SearchSpace
from tf_finetune.searches.leading.stages import MOST_WIDENINGS
from tf_finetune.searches.running.records import TrialRecord


class Usual(NamedTuple):
    """What is usual for an encoder.

    Attributes:
        num_layers: L.
        rate: The typical learning rate of a cell, by its depth and method.
    """

    num_layers: int
    rate: Callable[[Cell], float]


@dataclass(frozen=True)
class Candidates:
    """Cells, and where each stands in what the race learns about all of them.

    Attributes:
        cells: The cells, each once.
        usual: What is usual.
        inside: How many of them, the first, are of the search space itself.
    """

    cells: tuple[Cell, ...]
    usual: Usual
    inside: int

    @cached_property
    def share(self) -> np.ndarray:
        """Share of the layers that is frozen, float64 [cells]."""
        return np.array([cell.frozen_depth for cell in self.cells]) / self.usual.num_layers

    @cached_property
    def offset(self) -> np.ndarray:
        """Decades by which the rate is above the typical one, float64 [cells]; 0 without a rate."""
        return np.array(
            [
                0.0
                if cell.learning_rate is None
                else math.log10(cell.learning_rate / self.usual.rate(cell))
                for cell in self.cells
            ]
        )

    @cached_property
    def is_solved(self) -> np.ndarray:
        """Whether the head is solved exactly, bool [cells]."""
        return np.array([cell.is_solved for cell in self.cells])

    @cached_property
    def kind(self) -> np.ndarray:
        """Number of the further options, equal where they are, int [cells]."""
        numbers: dict[tuple[object, ...], int] = {}
        return np.array([numbers.setdefault(cell.extra, len(numbers)) for cell in self.cells])

    @cached_property
    def method(self) -> np.ndarray:
        """Number of the method, int [cells]; the same, 0, where there is one alone."""
        known = dict.fromkeys(cell.method for cell in self.cells if cell.method is not None)
        numbers = {method: number for number, method in enumerate(known)}
        return np.array([numbers.get(cell.method or "", 0) for cell in self.cells])

    @cached_property
    def place(self) -> dict[Cell, int]:
        """Index of each cell."""
        return {cell: index for index, cell in enumerate(self.cells)}


def candidates_of(
    space: SearchSpace,
    records: Iterable[TrialRecord],
    usual: Usual,
    *,
    epochs: int,
    widen_edges: bool,
) -> Candidates:
    """All that may be tried or was, without what was given up, failed, or would as well.

    Args:
        space: What may be tried.
        records: The trials that ended. A cell of another space that completed, or a head that
            was solved before the race, is a candidate too, but gets no trial here.
        usual: What is usual for the encoder.
        epochs: `training.epochs`.
        widen_edges: Whether rates beyond the edges are candidates, two at each end.
    """
    records = list(records)
    cells = dict.fromkeys(space.cells())
    if widen_edges:
        cells |= dict.fromkeys(cell for one in list(cells) for cell in _beyond(space, one))
    failed = [r.request.cell for r in records if not _has_score(r)]
    out = {r.request.cell for r in records if r.result.given_up} | set(failed)
    inside = [
        cell
        for cell in cells
        if cell not in out and not any(_is_ruled_out(cell, other) for other in failed)
    ]
    whole = [r.request.cell for r in records if r.is_whole(epochs)]
    known = [cell for cell in whole if cell not in out]
    return Candidates(tuple(dict.fromkeys([*inside, *known])), usual, len(inside))


def _has_score(record: TrialRecord) -> bool:
    return record.is_completed and math.isfinite(record.result.score or 0.0)


def _beyond(space: SearchSpace, cell: Cell) -> list[Cell]:
    """Rates beyond an edge, of a cell that is at one."""
    rates = space.rates_at(cell.place)
    found = []
    for upwards, edge in ((False, rates[:1]), (True, rates[-1:])):
        rate = cell.learning_rate if edge == (cell.learning_rate,) else None
        for _ in range(MOST_WIDENINGS):
            if rate is not None:
                rate = space.rate_beyond(cell.place, rate, upwards=upwards)
            if rate is not None:
                found.append(Cell(cell.frozen_depth, rate, cell.extra))
    return found


def _is_ruled_out(cell: Cell, failed: Cell) -> bool:
    """A cell that failed, and the same one at higher rates, which would diverge as well."""
    alike = (cell.frozen_depth, cell.extra, cell.is_solved)
    return alike == (failed.frozen_depth, failed.extra, failed.is_solved) and (
        cell.rate_order >= failed.rate_order
    )
