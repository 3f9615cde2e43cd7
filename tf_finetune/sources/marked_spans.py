"""Spans of characters that are marked with a kind, as programs for annotation export them."""

from collections.abc import Sequence
from typing import NamedTuple

from tf_finetune.sources.fields import label_name
from tf_finetune.sources.places import Place, place_of, trimmed
from tf_finetune.sources.problems import show
from tf_finetune.sources.structure_literals import parse_structure
from tf_finetune.sources.tag_schemes import OUTSIDE
from tf_finetune.sources.words import Spans, words_between

_KINDS = ("label", "labels", "type", "tag", "entity", "entity_group", "entity_type", "kind")


class Mark(NamedTuple):
    """A marked span as it was given; its kind may be no name yet."""

    place: Place
    kind: object
    given: object


class Words(NamedTuple):
    """Words of a text and their IOB2 tags; how many spans had white space at a border."""

    spans: Spans
    tags: tuple[str, ...]
    trimmed: int


def as_marks(value: object) -> list[Mark] | None:
    """The marks of a list of `[start, end, kind]` or of objects with such names; else None."""
    value = parse_structure(value)
    if not isinstance(value, list):
        return None
    marks = []
    for item in value:
        mark = _mark(item)
        if mark is None:
            return None
        marks.append(mark)
    return marks


def tagged_words(text: str, marks: Sequence[Mark], *, inclusive: bool) -> Words | list[str]:
    """The words of a text and their tags, so that each span is whole words.

    Args:
        text: The text.
        marks: Its marked spans, in any order.
        inclusive: Whether an end is the offset of a span's last character.

    Returns:
        The words; or what is wrong with the spans, a sentence each.
    """
    faults: list[str] = []
    found: list[tuple[int, int, str, Mark]] = []
    cut = 0
    for mark in marks:
        kind, fault = _kind(mark.kind)
        span = _span(text, mark.place, inclusive=inclusive)
        if isinstance(span, str) or fault:
            faults.append(f"received {show(mark.given)}, which {fault or span}")
            continue
        start, end = trimmed(text, *span)
        cut += (start, end) != span
        if start == end:
            faults.append(f"received {show(mark.given)}, which is white space; accepted: words")
        found.append((start, end, kind, mark))
    found.sort(key=lambda one: one[:2])
    for one, other in zip(found, found[1:], strict=False):
        if other[0] < one[1]:
            faults.append(
                f"received {show(other[3].given)}, which overlaps with {show(one[3].given)}; "
                "accepted: spans without a common character"
            )
    if faults:
        return faults
    words = words_between(text, (border for one in found for border in one[:2]))
    return Words(words, _tags(words, [one[:3] for one in found]), cut)


def _mark(item: object) -> Mark | None:
    if isinstance(item, tuple):
        item = list(item)
    place = place_of(item)
    if place is None:
        return None
    if isinstance(item, list):
        return Mark(place, item[2], item) if len(item) == 3 else None
    if not isinstance(item, dict):
        return None
    kind = next((item[name] for name in _KINDS if name in item), None)
    return Mark(place, kind, item)


def _kind(given: object) -> tuple[str, str]:
    """The name of a kind, and what is wrong with it."""
    if isinstance(given, list):
        if len(given) != 1:
            return "", f"has {len(given)} kinds; accepted: one"
        given = given[0]
    name = label_name(given)
    return name or "", "" if name else "names no kind; accepted: [start, end, kind]"


def _span(text: str, place: Place, *, inclusive: bool) -> tuple[int, int] | str:
    """The characters at a place; or what is wrong with it."""
    start, end = place.start, place.end + inclusive
    if place.text is not None and text[max(0, start) : max(0, end)] != place.text:
        counted = _of_utf16(text, start, end)
        if counted is None or text[slice(*counted)] != place.text:
            stands = text[max(0, start) : max(0, end)]
            return f"is where the text has {show(stands)}; accepted: the place of its text"
        start, end = counted
    if not 0 <= start < end:
        return "has an end before its start; accepted: offsets from 0, the end behind the start"
    if end > len(text):
        return f"ends past the text of {len(text):,} characters; accepted: a span in it"
    return start, end


def _of_utf16(text: str, start: int, end: int) -> tuple[int, int] | None:
    """Offsets that browsers count, in which a character beyond U+FFFF is two."""
    if text.isascii() or not 0 <= start < end:
        return None
    units = text.encode("utf-16-le", "surrogatepass")
    before, inside = units[: 2 * start], units[2 * start : 2 * end]
    first = len(before.decode("utf-16-le", "replace"))
    return first, first + len(inside.decode("utf-16-le", "replace"))


def _tags(words: Spans, spans: Sequence[tuple[int, int, str]]) -> tuple[str, ...]:
    """The IOB2 tags of words, of which each span is some; both in the order of the text."""
    tags = []
    place = 0
    for start, end in words:
        while place < len(spans) and spans[place][1] <= start:
            place += 1
        if place < len(spans) and spans[place][0] <= start and end <= spans[place][1]:
            begin, _, kind = spans[place]
            tags.append(f"{'B' if begin == start else 'I'}-{kind}")
        else:
            tags.append(OUTSIDE)
    return tuple(tags)
