"""A method as an item of a list of those that are tried: its options, and rates of its own."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator, Field

from tf_finetune.options.section import Section
from tf_finetune.options.value_checks import check_distinct
from tf_finetune.options.values import said

Rate = Annotated[float, Field(gt=0.0, le=10.0)]
Rates = Annotated[tuple[Rate, ...], Field(min_length=1), AfterValidator(check_distinct)]
RatesByDepth = Annotated[
    dict[int, Rates],
    Field(json_schema_extra=said("a mapping from depths to one or more learning rates each")),
]


class OwnRates(Section):
    """What an item takes beside the options of its method."""

    learning_rates: Rates | None = Field(
        default=None,
        description="learning rates of this method at every depth but that of all layers",
        examples=[[1e-3, 3e-3]],
    )
    learning_rates_by_depth: RatesByDepth = Field(
        default={},
        description="learning rates of this method at single depths, which go before the others",
        examples=[{"0": [5e-4, 1e-3]}],
    )


@dataclass(frozen=True)
class Tried:
    """An item.

    Attributes:
        setting: The method with its options.
        rates: Its own; without any, those that hold for all methods.
    """

    setting: Section
    rates: OwnRates = OwnRates()


def check_different(items: tuple[Tried, ...]) -> tuple[Tried, ...]:
    """Refuses a list that holds a setting twice, by all of its options, whatever its rates."""
    settings = [item.setting for item in items]
    for index, setting in enumerate(settings):
        if setting in settings[:index]:
            options = ", ".join(f"{name}: {value}" for name, value in setting)
            raise ValueError(f"accepted: different settings, but {{{options}}} is there twice")
    return items
