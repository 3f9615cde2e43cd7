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
    """Keeps the first problems in full and counts all; beside them notes, which stop nothing.

    Attributes:
        count: Number of problems.
        part: Which of several files of one source is being read, for notes.
    """

    count: int = 0
    part: str = ""
    _first: list[str] = field(default_factory=list)
    _notes: dict[str, tuple[int, str]] = field(default_factory=dict)

    def add(self, message: str) -> None:
        """Notes a problem after which reading goes on."""
        self.count += 1
        if self.count <= SHOWN:
            self._first.append(message)

    def note(self, what: str, place: str) -> None:
        """Counts a row about which the user should know though it was read, or skipped.

        Args:
            what: Rows of which kind, as a plural.
            place: The row.
        """
        count, first = self._notes.get(what, (0, f"{self.part}{place}"))
        self._notes[what] = count + 1, first

    def notes(self) -> tuple[str, ...]:
        """A sentence for each kind of noted rows, with their number and the first of them."""
        return tuple(
            f"{what}: {count:,}, such as {first}" for what, (count, first) in self._notes.items()
        )

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
