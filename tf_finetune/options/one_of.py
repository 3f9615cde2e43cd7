"""An option that takes one of the names of a table, such as the tasks or the methods.

The tables stand above the options. `config.experiment`, which puts all sections together, says
which table each kind of name is looked up in; a name may come to a table later.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import PydanticCustomError, core_schema

_TABLES: dict[str, Collection[str]] = {}


def look_up(kind: str, table: Collection[str]) -> None:
    """Says which table holds the names of a kind."""
    _TABLES[kind] = table


@dataclass(frozen=True)
class OneOf:
    """Accepts a name of a kind: `task: Annotated[str, OneOf("task")]`.

    Attributes:
        kind: What is named.
        also: Further words, before the names.
    """

    kind: str
    also: tuple[str, ...] = ()

    @property
    def names(self) -> list[str]:
        """What is accepted now."""
        return [*self.also, *_TABLES.get(self.kind, ())]

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        """Checks the name after the type."""
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """The names, for editors and messages."""
        return {**handler(schema), "enum": self.names}

    def _check(self, value: str) -> str:
        # A section alone, in a program that never makes a whole configuration, has no tables.
        if self.kind in _TABLES and value not in self.names:
            raise PydanticCustomError("one_of", "not one of the names")
        return value
