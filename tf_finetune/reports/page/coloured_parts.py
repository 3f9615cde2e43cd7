"""A text with what is wrong in it coloured, as a page shows it."""

from collections.abc import Iterable
from typing import Any

from tf_finetune.evaluation.report import Mistake
from tf_finetune.reports.console import printable
from tf_finetune.reports.marked_parts import MarkedStretch, marked_stretches
from tf_finetune.reports.page.coloured_words import shown
from tf_finetune.tasks.wrong_answers import Verdict, WrongPart

# In the order of a legend.
_MEANINGS: dict[Verdict, str] = {
    "missed": "was not found",
    "invented": "is not there",
    "wrong_kind": "was taken for another kind",
    "wrong_border": "has other words",
}
_TITLE_CHARACTERS = 200


def coloured_parts(mistake: Mistake, limit: int) -> list[dict[str, Any]]:
    """The text of a mistake in stretches.

    Args:
        mistake: One with parts.
        limit: The most characters to show; of a longer text what is beside its parts is shown.
    """
    return [
        {
            "text": shown(stretch.text),
            "names": _names(
                stretch.gold.verdict if stretch.gold else None,
                stretch.given.verdict if stretch.given else None,
            ),
            "title": _title(stretch),
            "notes": [
                {"verdict": part.verdict, "text": printable(_note(part), _TITLE_CHARACTERS)}
                for part in stretch.ends
            ],
        }
        for stretch in marked_stretches(mistake.text, mistake.parts, limit)
    ]


def verdicts_of(mistakes: Iterable[Mistake]) -> list[dict[str, Any]]:
    """The legend of what is wrong in some mistakes; empty where they have no parts."""
    there = {part.verdict for mistake in mistakes for part in mistake.parts}
    return [
        {
            "names": _names(
                verdict if verdict != "invented" else None, verdict if verdict != "missed" else None
            ),
            "title": verdict.replace("_", " "),
            "meaning": meaning,
        }
        for verdict, meaning in _MEANINGS.items()
        if verdict in there
    ]


def _names(gold: Verdict | None, given: Verdict | None) -> str:
    """The classes of a stretch in the style sheet; "" where nothing is wrong."""
    names = (f"gold-{gold}" if gold else "", f"given-{given}" if given else "")
    return " ".join(filter(None, names))


def _title(stretch: MarkedStretch) -> str:
    parts = dict.fromkeys(part for part in (stretch.gold, stretch.given) if part)
    said = "; ".join(f"{part.title}: {part.sentence}" for part in parts)
    return printable(said, _TITLE_CHARACTERS)


def _note(part: WrongPart) -> str:
    """What stands behind a part, such as `city missed`."""
    if part.verdict == "wrong_kind":
        return part.kinds
    if part.verdict == "wrong_border":
        return f"{part.kinds} border"
    return f"{part.kinds} {part.title}"
