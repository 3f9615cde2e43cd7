"""A sentence with two marked entities, in the form in which an encoder reads it.

The entities stand between `$` and `#`, signs that every vocabulary has: a new token for a marker
would be a row of noise in frozen embeddings. See Wu and He 2019.
"""

import re
from typing import NamedTuple

from tf_finetune.sources.words import Spans

FIRST, SECOND = "$", "#"
_MARKER = re.compile(r"<(/?)e([12])>")


class Marked(NamedTuple):
    """A sentence with its markers, and the places of the first and the second entity with them."""

    text: str
    spans: Spans


def is_marked(text: object) -> bool:
    """Whether there is any of the markers <e1>, </e1>, <e2>, </e2> in a text."""
    return isinstance(text, str) and _MARKER.search(text) is not None


def read_markers(text: str) -> Marked | str:
    """The sentence whose entities stand in <e1>…</e1> and <e2>…</e2>; or what is wrong with it."""
    found: dict[str, list[re.Match[str]]] = {}
    for match in _MARKER.finditer(text):
        found.setdefault(match[0], []).append(match)
    for marker in ("<e1>", "</e1>", "<e2>", "</e2>"):
        count = len(found.get(marker, ()))
        if count != 1:
            return (f"has {marker} {count} times" if count else f"lacks {marker}") + _ACCEPTED
    borders = [(found[f"<e{number}>"][0], found[f"</e{number}>"][0]) for number in (1, 2)]
    for number, (begin, end) in enumerate(borders, 1):
        if end.start() < begin.end():
            return f"has </e{number}> before <e{number}>" + _ACCEPTED
    (first, first_end), (second, second_end) = borders
    if first.start() < second_end.start() and second.start() < first_end.start():
        return "has one entity in the other" + _ACCEPTED
    inner = [(begin.end(), end.start()) for begin, end in borders]
    outer = [(begin.start(), end.end()) for begin, end in borders]
    return _marked(text, inner, outer)


def mark_entities(text: str, first: tuple[int, int], second: tuple[int, int]) -> Marked | str:
    """The sentence with two entities at places in it; or what is wrong with them."""
    if first[0] < second[1] and second[0] < first[1]:
        return "has one entity in the other; accepted: two places that do not overlap"
    return _marked(text, [first, second], [first, second])


_ACCEPTED = "; accepted: each entity once, between <e1> and </e1>, and between <e2> and </e2>"


def _marked(text: str, inner: list[tuple[int, int]], outer: list[tuple[int, int]]) -> Marked | str:
    """The marked sentence of entities whose markers of other kinds go."""
    parts: list[str] = []
    spans: dict[int, tuple[int, int]] = {}
    place = length = 0
    for index in sorted((0, 1), key=lambda index: outer[index]):
        entity = text[slice(*inner[index])].strip()
        if not entity:
            return f"has an empty entity {index + 1}; accepted: a text that is not empty"
        sign = (FIRST, SECOND)[index]
        before = text[place : outer[index][0]].strip()
        if before:
            parts.append(before)
            length += len(before) + 1
        parts.append(f"{sign} {entity} {sign}")
        spans[index] = (length, length + len(parts[-1]))
        length += len(parts[-1]) + 1
        place = outer[index][1]
    rest = text[place:].strip()
    return Marked(" ".join([*parts, rest] if rest else parts), (spans[0], spans[1]))
