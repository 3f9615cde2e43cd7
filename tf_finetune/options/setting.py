"""A section of one of several classes where it is a value inside another section.

As an item of a list a method is written like section `method`: a mapping with its options, or
its name alone. The classes stand above the options, so `config.experiment`, which puts all
sections together, says which they are.
"""

from dataclasses import dataclass
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import core_schema

from tf_finetune.options.section import Section
from tf_finetune.options.section_of import SectionOf, made_by

_CLASSES: dict[str, SectionOf] = {}


def take_classes(section: str, classes: SectionOf) -> None:
    """Says what the settings of a section are of."""
    _CLASSES[section] = classes


@dataclass(frozen=True)
class Setting:
    """Accepts what a section accepts: `tuple[Annotated[Section, Setting("method")], ...]`.

    Attributes:
        section: The section.
    """

    section: str

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        """As the section does, by the classes that are known when a value comes."""
        return made_by(self._made)

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """The names, or the mapping."""
        classes = _CLASSES[self.section]
        *others, last = classes.classes
        words = f"{', '.join(others)} or {last}"
        return {
            "anyOf": [
                {"type": "string", "enum": list(classes.classes)},
                classes.__get_pydantic_json_schema__(schema, handler),
            ],
            "accepted": f"{words}, or a mapping like section {self.section}",
        }

    def _made(self, value: Any) -> Section:
        return _CLASSES[self.section].made(value)
