"""Which learning rates a search tries at a depth with a method."""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.methods.settings import setting_of, setting_text
from tf_finetune.options.tried import OwnRates
from tf_finetune.plans.rates import two_digits, usual_rate
from tf_finetune.results.trial import Place
from tf_finetune.searches.leading.places import methods_of

_HALF_DECADE = math.sqrt(10.0)


@dataclass(frozen=True)
class RateRange:
    """Learning rates from `low` to `high`, even in the logarithm."""

    low: float
    high: float

    def steps(self) -> tuple[float, ...]:
        """Both ends and what lies between in steps of about half a decade."""
        count = max(1, round(math.log(self.high / self.low, _HALF_DECADE)))
        factor = (self.high / self.low) ** (1 / count)
        inside = (two_digits(self.low * factor**i) for i in range(1, count))
        return (self.low, *inside, self.high)


def rates_of_place(
    config: ExperimentConfig, place: Place, num_layers: int, steps: int, alone: Collection[int]
) -> tuple[float, ...] | RateRange:
    """The rates of a place, ascending, or their range: those that are given, else usual ones.

    Args:
        config: The configuration.
        place: Depth and method.
        num_layers: Of the encoder.
        steps: Of a training; usual rates go by it.
        alone: Depths at which the head alone trains, the same under every method.
    """
    given = _given_rates(config, place, alone)
    return _usual_rates(config, place, num_layers, steps) if given is None else given


def check_depths_of_rates(
    config: ExperimentConfig, depths: Sequence[int], problems: list[str]
) -> None:
    """Rates are for depths that are tried."""
    for name in ("learning_rates_by_depth", "learning_rate_ranges_by_depth"):
        strange = sorted(set(getattr(config.search, name)) - set(depths))
        if strange:
            problems.append(
                f"search.{name}: received rates of depth {', '.join(map(str, strange))}, which is "
                f"not tried; accepted: {', '.join(map(str, depths))}"
            )


def check_depths_of_own_rates(
    config: ExperimentConfig, places: Sequence[Place], problems: list[str]
) -> None:
    """Rates of a method are for places at which it trains more than the head."""
    several = len(config.search.methods) > 1
    for item, method in zip(config.search.methods, methods_of(config), strict=False):
        text = setting_text(method) if several else None
        depths = [place.depth for place in places if place.method == text]
        strange = sorted(set(item.rates.learning_rates_by_depth) - set(depths))
        if strange:
            problems.append(
                f"search.methods, {method.setting}: learning_rates_by_depth: received rates of "
                f"depth {', '.join(map(str, strange))}, at which it is not tried; accepted: "
                f"{', '.join(map(str, depths)) or 'none'} (where the head alone trains, all "
                "methods are one: search.learning_rates_by_depth)"
            )


def _own_rates(config: ExperimentConfig, place: Place) -> OwnRates:
    """Those that the list of methods gives the one of a place."""
    items = config.search.methods
    for item, method in zip(items, methods_of(config), strict=False):
        if len(items) == 1 or setting_text(method) == place.method:
            return item.rates
    return OwnRates()


def _given_rates(
    config: ExperimentConfig, place: Place, alone: Collection[int]
) -> tuple[float, ...] | RateRange | None:
    """Those of the configuration: of the method and depth, the method, the depth, all; None: none.

    Args:
        config: The configuration.
        place: Depth and method.
        alone: Depths at which all methods train the same.
    """
    search, depth = config.search, place.depth
    own = OwnRates() if depth in alone else _own_rates(config, place)
    by_depth = search.learning_rate_ranges_by_depth
    lists = (own.learning_rates_by_depth.get(depth), own.learning_rates)
    for rates in (*lists, search.learning_rates_by_depth.get(depth)):
        if rates is not None:
            return tuple(sorted(rates))
    if depth in by_depth:
        return RateRange(*by_depth[depth])
    if search.learning_rates is not None:
        return tuple(sorted(search.learning_rates))
    return None if search.learning_rate_range is None else RateRange(*search.learning_rate_range)


def _usual_rates(
    config: ExperimentConfig, place: Place, num_layers: int, steps: int
) -> tuple[float, ...] | RateRange:
    method = config.method if place.method is None else setting_of(place.method)
    middle = usual_rate(config.data.task, method, place.depth, num_layers, steps)
    if config.search.oracle in ("race", "grid"):
        return tuple(two_digits(middle * factor) for factor in (1 / 3, 1, 3))
    return RateRange(two_digits(middle / 3), two_digits(middle * 3))
