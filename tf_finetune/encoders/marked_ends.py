"""The tokens that a tokenizer puts around a text."""

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
