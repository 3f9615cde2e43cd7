"""A section of one of several classes where it is an item of a list inside another section.

As an item a method is written like section `method`: a mapping with its options, or its name
alone. The classes stand above the options, so `config.experiment`, which puts all sections
together, says which they are.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationError
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError, core_schema

from tf_finetune.options.section_of import SectionOf, mistakes_of
from tf_finetune.options.tried import OwnRates, Tried

_Made = TypeVar("_Made")
_CLASSES: dict[str, SectionOf] = {}


def take_classes(section: str, classes: SectionOf) -> None:
    """Says what the settings of a section are of."""
    _CLASSES[section] = classes


@dataclass(frozen=True)
class Setting:
    """Accepts what a section accepts, and rates: `tuple[Annotated[Tried, Setting("method")], ...]`.

    Attributes:
        section: The section.
    """

    section: str

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        """As the section does, by the classes that are known when a value comes."""
        return core_schema.no_info_plain_validator_function(
            self._made,
            serialization=core_schema.plain_serializer_function_ser_schema(_dumped, info_arg=True),
        )

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """The names, or the mapping."""
        classes = _CLASSES[self.section]
        *others, last = classes.classes
        words = f"{', '.join(others)} or {last}"
        mapping = classes.__get_pydantic_json_schema__(schema, handler)
        own = OwnRates.model_json_schema()["properties"]
        return {
            "anyOf": [
                {"type": "string", "enum": list(classes.classes)},
                mapping | {"properties": mapping["properties"] | own},
            ],
            "accepted": f"{words}, or a mapping like section {self.section}, also with "
            f"{' and '.join(own)}",
        }

    def _made(self, value: Any) -> Tried:
        if isinstance(value, Tried):
            return value
        names, own = OwnRates.model_fields, {}
        if isinstance(value, Mapping):
            own = {name: given for name, given in value.items() if name in names}
            value = {name: given for name, given in value.items() if name not in names}
        problems: list[InitErrorDetails] = []
        setting = _or_mistakes(lambda: _CLASSES[self.section].made(value, beside=names), problems)
        rates = _or_mistakes(lambda: OwnRates.model_validate(own), problems)
        if setting is None or rates is None:
            raise mistakes_of(problems)
        return Tried(setting, rates)


def _or_mistakes(make: Callable[[], _Made], problems: list[InitErrorDetails]) -> _Made | None:
    """What is made; None where it is refused, and why is added to the problems."""
    try:
        return make()
    except ValidationError as error:
        problems += map(_raised_again, error.errors())
        return None


def _raised_again(details: ErrorDetails) -> InitErrorDetails:
    error = details.get("ctx", {}).get("error", details["msg"])
    kind = PydanticCustomError(details["type"], "{error}", {"error": error})
    return InitErrorDetails(type=kind, loc=details["loc"], input=details["input"])


def _dumped(item: Tried, info: core_schema.SerializationInfo) -> dict[str, Any]:
    """As it is written, its rates only where there are any."""
    rates = item.rates.model_dump(mode=info.mode, exclude_defaults=True)
    return item.setting.model_dump(mode=info.mode) | rates
