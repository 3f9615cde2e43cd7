"""The tags of IOB2: what each number stands for."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

OUTSIDE = "O"
BEGIN, INSIDE = "B-", "I-"


@dataclass(frozen=True)
class TagSet:
    """Tags by number.

    A tag is `O` outside of any entity, `B-` and a kind on the first word of an entity, and `I-`
    and the kind on its further words (E. F. Tjong Kim Sang and J. Veenstra, EACL 1999).

    Attributes:
        names: The tags, in any order; T of them.
    """

    names: tuple[str, ...]

    def __post_init__(self) -> None:
        for name in self.names:
            if name != OUTSIDE and (name[:2] not in (BEGIN, INSIDE) or not name[2:]):
                raise ValueError(f"{name!r} is no tag of IOB2")
        if len(set(self.names)) < len(self.names):
            raise ValueError("a tag stands twice in a set of tags")

    @classmethod
    def of_kinds(cls, kinds: Iterable[str]) -> "TagSet":
        """`O`, then both tags of each kind, in the order of the kinds."""
        pairs = ((BEGIN + kind, INSIDE + kind) for kind in kinds)
        return cls((OUTSIDE, *(name for pair in pairs for name in pair)))

    @cached_property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of entities in the order of the alphabet; K of them."""
        return tuple(sorted({name[2:] for name in self.names if name != OUTSIDE}))

    @cached_property
    def kind_of(self) -> np.ndarray:
        """The kind of each tag, int32 [T]; -1 for `O`."""
        places = {kind: place for place, kind in enumerate(self.kinds)}
        return np.array([places.get(name[2:], -1) for name in self.names], np.int32)

    @cached_property
    def begins(self) -> np.ndarray:
        """Whether a tag says that an entity begins, bool [T]."""
        return np.array([name.startswith(BEGIN) for name in self.names], bool)
