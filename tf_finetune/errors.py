"""The exceptions that end a command with a message and no traceback."""

from collections.abc import Iterable
from typing import ClassVar


class UserError(Exception):
    """A mistake in what the user gave us: an option, a file, a checkpoint, a device.

    Commands print the problems without a traceback and end with exit code 2, so every
    problem has to say where it is (file, row, column or dotted option), what was
    received and what is accepted. Characters that a terminal would obey instead of showing,
    which come from file names, labels and other libraries' messages, are shown as escapes.

    Args:
        problems: One message, or all messages that were found in one go.
        hint: What to do next, printed once below the problems.

    Example:
        >>> try:
        ...     tft.plan(depht=4, max_lenght=64)
        ... except tft.UserError as error:
        ...     error.problems
        ['depht: unknown option; nearest: depth', 'max_lenght: unknown option; nearest: max_length']
    """

    exit_code: ClassVar[int] = 2

    def __init__(self, problems: str | Iterable[str], hint: str | None = None):
        listed = [problems] if isinstance(problems, str) else list(problems)
        self.problems = [visible(problem) for problem in listed]
        self.hint = None if hint is None else visible(hint)
        super().__init__(str(self))

    def __str__(self) -> str:
        lines = list(self.problems)
        if len(lines) > 1:
            lines = ["problems:", *(f"  - {line}" for line in lines)]
        if self.hint:
            lines.append(self.hint)
        return "\n".join(lines)

    def _render_traceback_(self) -> list[str]:
        """What IPython shows in place of a traceback, which says nothing to who made a mistake."""
        return [f"{type(self).__name__}: {self}"]


class DiskFullError(UserError):
    """There was no room to write; what was there before is whole."""


class RunFailedError(UserError):
    """Nothing was wrong with what was asked for, but it could not be carried out; exit code 1."""

    exit_code = 1


def visible(text: str) -> str:
    """A text with escapes for the characters that a terminal would obey instead of showing."""
    if text.isprintable():
        return text
    return "".join(
        character
        if character.isprintable() or character in "\n\t"
        else character.encode("unicode_escape").decode()
        for character in text
    )
