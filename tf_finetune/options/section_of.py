"""A section that is of one of several classes, told apart by its `name`, such as a method.

The classes stand in a table above the options. For descriptions, completion and messages the
section is one list of all their options.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError, core_schema

from tf_finetune.options.section import Section
from tf_finetune.storage.yaml_document import yaml_value

_NAME = "name"


@dataclass(frozen=True)
class SectionOf:
    """Accepts the options of a class of a table: `method: Annotated[Method, SectionOf(METHODS)]`.

    Attributes:
        classes: By the `name` that asks for each.
        usual: The name where none is given.
        description: What the section decides.
        meaning: What an object of a class says of itself, after its name.
    """

    classes: Mapping[str, type[Section]]
    usual: str
    description: str
    meaning: Callable[[Any], str]

    def __hash__(self) -> int:
        return hash(self.usual)

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        """Makes an object of the class that is named."""
        return made_by(self.made)

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """One object with the options of all classes, each told whose it is."""
        meanings = ", ".join(f"{n} {self.meaning(c())}" for n, c in self.classes.items())
        properties: dict[str, Any] = {
            _NAME: {
                "type": "string",
                "enum": list(self.classes),
                "default": self.usual,
                "description": f"{self.description}: {meanings}",
            }
        }
        for option, owners in self._owners().items():
            fields = {
                owner: self.classes[owner].model_json_schema()["properties"][option]
                for owner in owners
            }
            properties[option] = {**fields[owners[0]], "description": _told_of_all(fields)}
        return {
            "type": "object",
            "properties": properties,
            "additionalProperties": False,
            "description": f"{self.description[0].upper()}{self.description[1:]}.",
        }

    def _owners(self) -> dict[str, list[str]]:
        """Names of the classes that have each option."""
        owners: dict[str, list[str]] = {}
        for name, section in self.classes.items():
            for option in section.model_fields:
                if option != _NAME:
                    owners.setdefault(option, []).append(name)
        return owners

    def made(self, value: Any, beside: Collection[str] = ()) -> Section:
        """An object of the class that is named, from a mapping or a name alone.

        Args:
            value: The mapping or the name.
            beside: Further names that may stand beside the options, for messages.
        """
        if isinstance(value, Section):
            return value
        if isinstance(value, str):  # a name alone is short for a section without other options
            value = {_NAME: value}
        if not isinstance(value, Mapping):
            raise PydanticCustomError("section_of", "not a mapping")
        name = value.get(_NAME, self.usual)
        section = self.classes.get(name) if isinstance(name, str) else None
        if section is None:
            raise mistakes_of([_mistake(_NAME, name, PydanticCustomError("one_of", "no name"))])
        foreign = [
            _mistake(option, given, self._not_there(option, name, beside))
            for option, given in value.items()
            if option not in section.model_fields
        ]
        if foreign:
            raise mistakes_of(foreign)
        return section.model_validate(value)

    def _not_there(self, option: str, name: str, beside: Collection[str]) -> PydanticCustomError:
        own = [known for known in self.classes[name].model_fields if known != _NAME]
        own += beside
        told = f"accepted: {', '.join(own) if own else 'no options'} with {_NAME}={name}"
        if owners := self._owners().get(option):
            told += f", and this one with {_NAME}={' or '.join(owners)}"
        error = ValueError(told)
        return PydanticCustomError("value_error", "{error}", {"error": error})


def _told_of_all(fields: Mapping[str, Mapping[str, Any]]) -> str:
    """What an option means in each class that has it, by the names of these.

    The default of the first stands by itself; of others it is told where it is another.
    """
    usual = next(iter(fields.values()))["default"]
    owners: dict[str, list[str]] = {}
    for owner, field in fields.items():
        other = field["default"] != usual
        default = f" (default {yaml_value(field['default'])})" if other else ""
        owners.setdefault(field["description"] + default, []).append(owner)
    return "; ".join(f"of {', '.join(names)}: {told}" for told, names in owners.items())


def made_by(make: Callable[[Any], Section]) -> core_schema.CoreSchema:
    """A section that a function makes of what is given; it is dumped by its own class."""
    return core_schema.no_info_plain_validator_function(
        make,
        serialization=core_schema.plain_serializer_function_ser_schema(
            lambda section, info: section.model_dump(mode=info.mode), info_arg=True
        ),
    )


def _mistake(option: str, value: Any, error: PydanticCustomError) -> InitErrorDetails:
    return InitErrorDetails(type=error, loc=(option,), input=value)


def mistakes_of(found: list[InitErrorDetails]) -> ValidationError:
    """What a validator raises to tell several mistakes, each at its place."""
    return ValidationError.from_exception_data("section", found)
