"""An option that takes one of the names of a table, which may grow after the option is defined."""

from collections.abc import Collection
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import PydanticCustomError, core_schema


class OneOf:
    """Accepts the names in a table: `name: Annotated[str, OneOf(METHODS)]`.

    Args:
        table: The names, as they are whenever a value is checked.
        also: Further names that stand before them.
    """

    def __init__(self, table: Collection[str], *also: str):
        self._table = table
        self._also = also

    def names(self) -> list[str]:
        """What is accepted now."""
        return [*self._also, *self._table]

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        """Checks after the type."""
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """The names, for editors and messages."""
        return {**handler(schema), "enum": self.names()}

    def _check(self, value: str) -> str:
        if value not in self.names():
            raise PydanticCustomError("one_of", "not one of the names")
        return value
