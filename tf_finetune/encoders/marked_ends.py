"""The tokens that a tokenizer puts around a text, or around the two texts of a pair."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class MarkedEnds:
    """Token ids before and behind a single text."""

    before: tuple[int, ...]
    behind: tuple[int, ...]

    def around(self, ids: list[int]) -> list[int]:
        """The ids of a text with its marks."""
        return [*self.before, *ids, *self.behind]

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.before) + len(self.behind)


def marked_ends(backend: Any) -> MarkedEnds:
    """What a fast tokenizer's backend puts around a text.

    Args:
        backend: A tokenizer of the package `tokenizers`.
    """
    found = backend.encode("a")
    own = [place for place, special in enumerate(found.special_tokens_mask) if not special]
    first, after = own[0], own[-1] + 1
    return MarkedEnds(tuple(found.ids[:first]), tuple(found.ids[after:]))


@dataclass(frozen=True)
class MarkedPair:
    """Token ids before, between and behind the two texts of a pair, and the types of all tokens.

    Attributes:
        marks: Ids before the first text, between the two, and behind the second.
        mark_types: Token types of these.
        types: Token types of the first and the second text.
    """

    marks: tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]
    mark_types: tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]
    types: tuple[int, int]

    @property
    def count(self) -> int:
        """How many marks there are."""
        return sum(map(len, self.marks))

    def second_begins(self, first: int) -> int:
        """Where the second text begins in a row whose first has so many tokens."""
        return len(self.marks[0]) + first + len(self.marks[1])

    def around(self, first: list[int], second: list[int]) -> tuple[list[int], list[int]]:
        """Ids and token types of a pair with its marks."""
        (before, between, behind), kinds = self.marks, self.mark_types
        ids = [*before, *first, *between, *second, *behind]
        of_first, of_second = self.types
        types = [*kinds[0], *([of_first] * len(first)), *kinds[1]]
        return ids, [*types, *([of_second] * len(second)), *kinds[2]]


def marked_pair(backend: Any) -> MarkedPair:
    """What a fast tokenizer's backend puts around and between the texts of a pair.

    Args:
        backend: A tokenizer of the package `tokenizers`.
    """
    found = backend.encode("a", "a")
    owners, types = found.sequence_ids, found.type_ids
    (first, after), (second, end) = (
        (owners.index(text), len(owners) - owners[::-1].index(text)) for text in (0, 1)
    )
    parts = slice(0, first), slice(after, second), slice(end, len(owners))
    before, between, behind = (tuple(found.ids[part]) for part in parts)
    kinds = tuple(types[parts[0]]), tuple(types[parts[1]]), tuple(types[parts[2]])
    return MarkedPair((before, between, behind), kinds, (types[first], types[second]))
