"""A text cut where what is wrong in it begins and ends, and shortened to what is beside that."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tf_finetune.tasks.wrong_answers import WrongPart

CUT = " … "
_BESIDE = 80  # characters that are shown before and behind, of a text that is not shown whole


@dataclass(frozen=True)
class MarkedStretch:
    """A part of a text in which nothing begins or ends.

    Attributes:
        text: Its characters.
        gold: Of what is there the wrong part that this belongs to; None: it is as it should be.
        given: The same of what was found; where it was found wrongly twice, another than `gold`.
        ends: What ends here, to be said behind it.
    """

    text: str
    gold: WrongPart | None = None
    given: WrongPart | None = None
    ends: tuple[WrongPart, ...] = ()


def marked_stretches(text: str, parts: Sequence[WrongPart], limit: int) -> Iterator[MarkedStretch]:
    """The text in stretches, each of which is marked or not.

    Args:
        text: The text.
        parts: What is wrong in it.
        limit: The most characters to show; of longer texts what is beside the surest wrong parts
            is shown, as much as there is room for.
    """
    shown = _shown(text, parts, limit)
    if not shown or shown[0][0] > 0:
        yield MarkedStretch(CUT)
    for place, (first, after) in enumerate(shown):
        if place:
            yield MarkedStretch(CUT)
        yield from _between(text, parts, first, after)
    if shown and shown[-1][1] < len(text):
        yield MarkedStretch(CUT)


def _between(
    text: str, parts: Sequence[WrongPart], first: int, after: int
) -> Iterator[MarkedStretch]:
    edges = {first, after}
    for part in parts:
        for one in (part.gold, part.given):
            if one is not None:
                edges |= {edge for edge in (one.start, one.end) if first < edge < after}
    ordered = sorted(edges)
    for start, end in zip(ordered, ordered[1:], strict=False):
        gold = next((p for p in parts if p.gold and p.gold.start <= start < p.gold.end), None)
        given = next((p for p in parts if p.given and p.given.start <= start < p.given.end), None)
        yield MarkedStretch(
            text[start:end],
            gold,
            given,
            tuple(p for p in parts if p.end == end),
        )


def _shown(text: str, parts: Sequence[WrongPart], limit: int) -> list[tuple[int, int]]:
    """What is shown of a text: ranges of characters, apart from each other, in its order."""
    if len(text) <= limit:
        return [(0, len(text))]
    kept: list[tuple[int, int]] = []
    for part in sorted(parts, key=lambda part: -part.probability):
        end = min(part.end, part.start + limit)
        ranges = _merged([*kept, (_word_start(text, part.start), _word_end(text, end))])
        if kept and sum(after - first for first, after in ranges) > limit:
            break
        kept = ranges
    return kept


def _merged(ranges: list[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for first, after in sorted(ranges):
        if merged and first <= merged[-1][1] + len(CUT):
            merged[-1] = (merged[-1][0], max(after, merged[-1][1]))
        else:
            merged.append((first, after))
    return merged


def _word_start(text: str, place: int) -> int:
    """Where a word begins, about as far before a place as is shown."""
    start = max(0, place - _BESIDE)
    space = text.find(" ", start, place)
    return start if not start or space < 0 else space + 1


def _word_end(text: str, place: int) -> int:
    end = min(len(text), place + _BESIDE)
    space = text.rfind(" ", place, end)
    return end if end == len(text) or space < 0 else space
