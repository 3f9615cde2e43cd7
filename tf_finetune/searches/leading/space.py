"""Which cells a search may try: the `search` section held against the encoder's layers."""

import itertools
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.encoders.locating import EncoderFiles
from tf_finetune.errors import UserError
from tf_finetune.options.marks import Mark
from tf_finetune.plans.freezing import parse_layers
from tf_finetune.plans.rates import two_digits
from tf_finetune.plans.solver import stepwise_options
from tf_finetune.results.trial import METHOD, Cell, Place
from tf_finetune.searches.leading.places import places_of
from tf_finetune.searches.leading.rates import (
    RateRange,
    check_depths_of_own_rates,
    check_depths_of_rates,
    rates_of_place,
)

DEFAULT_CELLS = 12
# The further options that mean something where the head alone trains and is solved exactly.
_OF_A_SOLVED_HEAD = frozenset(("training.weight_decay",))


@dataclass(frozen=True)
class SearchSpace:
    """What is searched.

    Attributes:
        rates: Learning rates of each depth and method, ascending, or their range. None where the
            head alone trains and is solved exactly.
        dimensions: Values of each further option, by dotted name; the method is none of them.
        seeds: Training seeds.
        max_cells: How many cells are explored before edges are widened.
        max_trials: Most trials, or None.
    """

    rates: Mapping[Place, tuple[float, ...] | RateRange]
    dimensions: tuple[tuple[str, tuple[Any, ...]], ...]
    seeds: tuple[int, ...]
    max_cells: int
    max_trials: int | None

    @property
    def depths(self) -> tuple[int, ...]:
        """The frozen depths, ascending."""
        return tuple(sorted({place.depth for place in self.rates}))

    @property
    def methods(self) -> tuple[str, ...]:
        """The settings that are compared, in their order; none where there is only one."""
        found = [place.method for place in self.rates if place.method is not None]
        return tuple(dict.fromkeys(found))

    @property
    def places(self) -> tuple[Place, ...]:
        """Depths and methods, the deepest first and the methods in their order."""
        return tuple(sorted(self.rates, key=lambda place: -place.depth))

    def place_of(self, depth: int, method: str | None) -> Place:
        """The place of a depth and method; where methods are alike, the one that stands for all."""
        place = Place(depth, method)
        return place if place in self.rates else next(p for p in self.rates if p.depth == depth)

    @property
    def is_finite(self) -> bool:
        """Whether every place has a list of rates, so that the cells can be counted."""
        return not any(isinstance(rates, RateRange) for rates in self.rates.values())

    def cells(self) -> list[Cell]:
        """Every cell, a range in its `steps`.

        The deepest come first, because they are the cheapest, and cells that one traced
        model serves stand together. Of the rates the middle one comes first and the extreme ones
        last: it is the likeliest, for when time runs out or others are measured by it.
        """
        return [
            cell_at(place, rate, tuple(zip(names, values, strict=True)))
            for place in self.places
            for names, choices in [_parted(self.dimensions_at(place))]
            for values in itertools.product(*choices)
            for rate in _from_the_middle(self.rates_at(place)) or (None,)
        ]

    def is_solved(self, place: Place) -> bool:
        """Whether the head is solved exactly at a place."""
        return self.rates[place] == ()

    def dimensions_at(self, place: Place) -> tuple[tuple[str, tuple[Any, ...]], ...]:
        """The further options that mean something at a place."""
        if not self.is_solved(place):
            return self.dimensions
        return tuple(one for one in self.dimensions if one[0] in _OF_A_SOLVED_HEAD)

    def seeds_of(self, cell: Cell) -> tuple[int, ...]:
        """The seeds to try a cell with: a head that is solved is the same with each."""
        return self.seeds[:1] if cell.is_solved else self.seeds

    def holds(self, cell: Cell) -> bool:
        """Whether a cell is one of this space (not one beyond an edge)."""
        if cell.place not in self.rates:
            return False
        rates = self.rates[cell.place]
        if cell.learning_rate is None:
            inside = self.is_solved(cell.place)
        elif isinstance(rates, RateRange):
            inside = rates.low <= cell.learning_rate <= rates.high
        else:
            inside = cell.learning_rate in rates
        options = cell.options
        dimensions = self.dimensions_at(cell.place)
        known = [name in options and options[name] in values for name, values in dimensions]
        return inside and all(known) and len(options) == len(known)

    def rates_at(self, place: Place) -> tuple[float, ...]:
        """The learning rates of a place, a range in its `steps`."""
        rates = self.rates[place]
        return rates.steps() if isinstance(rates, RateRange) else rates

    def rate_beyond(self, place: Place, rate: float, *, upwards: bool) -> float | None:
        """The rate one step beyond the lowest or highest one; None if that is not accepted."""
        rates = self.rates_at(place)
        if len(rates) < 2:
            return None
        factor = rates[-1] / rates[-2] if upwards else rates[0] / rates[1]
        beyond = two_digits(rate * factor)
        return beyond if 0.0 < beyond <= 10.0 else None


def cell_at(
    place: Place, learning_rate: float | None, options: Iterable[tuple[str, Any]] = ()
) -> Cell:
    """The cell of a place, a rate and further options."""
    method = () if place.method is None else ((METHOD, place.method),)
    return Cell(place.depth, learning_rate, (*method, *options))


def build_space(config: ExperimentConfig, files: EncoderFiles, steps: int = 0) -> SearchSpace:
    """Makes the space that the `search` section describes.

    Args:
        config: The configuration.
        files: The encoder.
        steps: Of a training; usual rates go by it. 0 serves to see what contradicts itself.

    Raises:
        UserError: With all that contradicts itself or does not go with the encoder.
    """
    num_layers = files.num_layers
    problems: list[str] = []
    depths = _depths(config, files, problems)
    check_depths_of_rates(config, depths, problems)
    if config.freeze.thaw:
        problems.append(
            f"freeze.thaw: received {len(config.freeze.thaw)} phase(s), and a search compares "
            "depths that hold to the end of a training; accepted: [] (train takes phases)"
        )
    dimensions = _dimensions(config)
    _check_dimensions(config, problems)
    found = places_of(config, depths, files, problems)
    alone = {*found.alone, num_layers}
    check_depths_of_own_rates(config, [p for p in found.places if p.depth not in alone], problems)
    solved = solved_depths(config, depths, found.alone, problems)
    rates = {
        place: ()
        if place.depth in solved
        else rates_of_place(config, place, num_layers, steps, alone)
        for place in found.places
    }
    space = SearchSpace(rates, dimensions, config.search.seeds, 0, config.search.max_trials)
    max_cells = _max_cells(config, space, problems)
    if problems:
        raise UserError(list(dict.fromkeys(problems)))
    return SearchSpace(rates, dimensions, config.search.seeds, max_cells, config.search.max_trials)


def _depths(config: ExperimentConfig, files: EncoderFiles, problems: list[str]) -> list[int]:
    text, num_layers = config.search.depths, files.num_layers
    if text == "all":  # of those whose layers do not have to train because they begin anew
        most = num_layers - config.training.reinitialise_top
        return [depth for depth in files.depths if depth <= most] or files.depths[:1]
    depths = sorted(parse_layers(text))
    if depths[-1] > num_layers:
        problems.append(
            f"search.depths: received {text}; accepted: 0 to {num_layers}, the number of layers of "
            "this encoder"
        )
    return [depth for depth in depths if depth <= num_layers]


def _dimensions(config: ExperimentConfig) -> tuple[tuple[str, tuple[Any, ...]], ...]:
    """What needs a new trace comes first, so that it changes last."""
    search = config.search
    values: dict[str, tuple[Any, ...]] = {
        "search.rule_sets": tuple(search.rule_sets),
        "training.weight_decay": search.weight_decays,
        "training.batch_size": search.batch_sizes,
        "training.warmup_fraction": search.warmup_fractions,
    }
    return tuple((name, found) for name, found in values.items() if found)


def _check_dimensions(config: ExperimentConfig, problems: list[str]) -> None:
    pieces = config.training.accumulation_steps
    for size in config.search.batch_sizes:
        if size % pieces:
            problems.append(
                f"search.batch_sizes: received {size}; accepted: multiples of "
                f"training.accumulation_steps, {pieces}"
            )


def solved_depths(
    config: ExperimentConfig, depths: Sequence[int], alone: Collection[int], problems: list[str]
) -> set[int]:
    """Depths at which the head is solved exactly, as `training.solver` says.

    Args:
        config: The configuration.
        depths: Those that are tried.
        alone: Those at which the head alone trains.
        problems: Takes what contradicts itself.
    """
    solver, search = config.training.solver, config.search
    if solver == "steps":
        return set()
    of_depths = {
        f"search.{name}": sorted(set(getattr(search, name)) & set(alone))
        for name in ("learning_rates_by_depth", "learning_rate_ranges_by_depth")
    }
    with_rates = {depth for found in of_depths.values() for depth in found}
    solved = set(alone) if solver == "exact" else set(alone) - with_rates
    idle = [name for name, found in of_depths.items() if found]
    if solved == set(depths):  # then these mean nothing at all
        names = ("learning_rates", "learning_rate_range", "batch_sizes", "warmup_fractions")
        idle += [f"search.{name}" for name in names if getattr(search, name)]
        own = set(config.names_marked(Mark.TRIAL))
        idle += [name for name in stepwise_options(config) if name not in own]
    if solver == "auto":
        return set() if solved == set(depths) and idle else solved
    others = sorted(set(depths) - solved)
    if others:
        problems.append(
            "training.solver: received exact, which solves the head alone, and at depth "
            f"{', '.join(map(str, others))} more would train; accepted: auto, which solves it "
            "where it is alone, or steps"
        )
    problems += [
        f"{name}: received with training.solver=exact, which has no use for it; accepted: leave "
        "it out, or training.solver=steps"
        for name in idle
    ]
    return solved


def _max_cells(config: ExperimentConfig, space: SearchSpace, problems: list[str]) -> int:
    """How many cells are explored, each once with every seed."""
    most, seeds = config.search.max_trials, len(space.seeds)
    if config.search.oracle == "race":
        return len(space.cells())
    if config.search.oracle != "grid":
        if most is not None and most < seeds:
            problems.append(
                f"search.max_trials: received {most}, less than one cell with each of {seeds} "
                f"seeds; accepted: at least {seeds}"
            )
        return most // seeds if most is not None else DEFAULT_CELLS
    cells = space.cells()
    trials = sum(len(space.seeds_of(cell)) for cell in cells)
    if most is not None and most < trials:
        problems.append(
            f"search.max_trials: received {most}, but the grid has {len(cells)} cells x {seeds} "
            f"seed(s) = {trials} trials; accepted: at least {trials}, or search.oracle=random"
        )
    return len(cells)


def _parted(
    dimensions: Sequence[tuple[str, tuple[Any, ...]]],
) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Names and values."""
    return [name for name, _ in dimensions], [values for _, values in dimensions]


def _from_the_middle(rates: Sequence[float]) -> list[float]:
    """Rates in the order of their distance from the middle one, by rank, the lower first."""
    middle = (len(rates) - 1) // 2
    return [rates[i] for i in sorted(range(len(rates)), key=lambda i: abs(i - middle))]
