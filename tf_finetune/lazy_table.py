"""A table whose entries are imported when they are looked up, so that its names cost nothing."""

from collections.abc import Iterator, Mapping, MutableMapping
from importlib import import_module
from typing import TypeVar

T = TypeVar("T")


class LazyTable(MutableMapping[str, T]):
    """Maps names to what they stand for.

    Args:
        places: Where each stands, by name: `{"classes": "package.module.Name"}`.
    """

    def __init__(self, places: Mapping[str, str]):
        self._places: dict[str, str | None] = dict(places)
        self._found: dict[str, T] = {}

    def __getitem__(self, name: str) -> T:
        place = self._places[name]
        if name not in self._found and place is not None:
            module, _, attribute = place.rpartition(".")
            self._found[name] = getattr(import_module(module), attribute)
        return self._found[name]

    def __setitem__(self, name: str, value: T) -> None:
        self._places[name] = None
        self._found[name] = value

    def __delitem__(self, name: str) -> None:
        del self._places[name]
        self._found.pop(name, None)

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, name: object) -> bool:
        return name in self._places
