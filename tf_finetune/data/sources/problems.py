"""Collects what is wrong with a source, so that the user hears all of it at once."""

import reprlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NoReturn

from tf_finetune.errors import UserError

SHOWN = 20

_short_repr = reprlib.Repr()
_short_repr.maxstring = _short_repr.maxother = _short_repr.maxlong = 60


def show(value: object) -> str:
    """A value for a message: its `repr`, shortened in the middle."""
    return _short_repr.repr(value)


def show_names(names: Iterable[str]) -> str:
    """Names for a message, at most 20 of them."""
    shown = [show(name) for name in names]
    more = [f"and {len(shown) - SHOWN:,} more"] if len(shown) > SHOWN else []
    return ", ".join(shown[:SHOWN] + more)


@dataclass
class Problems:
    """Keeps the first problems in full and counts all."""

    count: int = 0
    _first: list[str] = field(default_factory=list)

    def add(self, message: str) -> None:
        """Notes a problem after which reading goes on."""
        self.count += 1
        if self.count <= SHOWN:
            self._first.append(message)

    def check(self) -> None:
        """Raises what was collected.

        Raises:
            UserError: There is at least one problem.
        """
        if self.count:
            raise UserError(self._listed())

    def stop(self, message: str) -> NoReturn:
        """Raises a problem after which reading cannot go on, with those collected before.

        Raises:
            UserError: Always.
        """
        if self.count:
            message += " (reading stopped here)"
        raise UserError([*self._listed(), message])

    def _listed(self) -> list[str]:
        more = self.count - len(self._first)
        return [*self._first, f"and {more:,} more like these"] if more else self._first
