"""A text with the parts that a model found in it, marked in its line.

Such as `add [sabrina salerno](artist 0.76) to my list`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.color import ColorSystem
from rich.style import Style

from tf_finetune.errors import visible

# One a name, again from the first where there are more.
_COLOURS = ("cyan", "green", "magenta", "yellow", "blue", "red")
_LABEL = Style(dim=True)


def marked_up(
    text: str, parts: Sequence[Mapping[str, Any]], names: Sequence[str], *, coloured: bool
) -> str:
    """The text in one line.

    Args:
        text: The text.
        parts: What was found, in the order of the text and apart from each other: each with
            `start`, `end`, `label` and `probability`.
        names: All labels that parts may have, each of which has its colour.
        coloured: Whether the terminal has colours.
    """
    pieces, place = [], 0
    for part in parts:
        start, end, label = part["start"], part["end"], part["label"]
        marked = f"[{_line(text[start:end])}]"
        named = f"({visible(label)} {part['probability']:.2f})"
        if coloured:
            colour = _COLOURS[names.index(label) % len(_COLOURS)]
            marked = Style(color=colour, bold=True).render(
                marked, color_system=ColorSystem.STANDARD
            )
            named = _LABEL.render(named, color_system=ColorSystem.STANDARD)
        pieces += [_line(text[place:start]), marked, named]
        place = end
    return "".join([*pieces, _line(text[place:])]).strip()


def _line(text: str) -> str:
    """A part of a text with its white space as single spaces, and nothing that terminals obey."""
    before, after = text[:1].isspace(), text[-1:].isspace()
    words = visible(" ".join(text.split()))
    return f"{' ' * before}{words}{' ' * after}" if words else " " * before
