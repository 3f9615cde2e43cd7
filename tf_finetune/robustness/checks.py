"""What is checked of a model: the three kinds of CheckList, each with what it expects.

M. T. Ribeiro, T. Wu, C. Guestrin and S. Singh, "Beyond Accuracy: Behavioral Testing of NLP Models
with CheckList" (ACL 2020): a *minimum function* has texts whose answer is known; *invariance*
changes texts so that the answer should stay; *direction* changes them so that an output should
rise or fall.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from tf_finetune.robustness.changes import Change

Kind = Literal["minimum_function", "invariance", "direction"]
Expected = Literal["more", "less", "less_sure"]

KINDS: dict[str, str] = {
    "minimum_function": "the answer is the label that is given",
    "invariance": "the answer stays",
    "direction": "an output rises or falls",
}
EXPECTED: dict[str, str] = {
    "more": "the label (or the number) is no less likely (or large) than before",
    "less": "the label (or the number) is no more likely (or large) than before",
    "less_sure": "the answer that was given before is no more likely than before",
}
# A probability may move against what is expected by so much, and it still counts as met.
DIRECTION_TOLERANCE = 0.1


@dataclass(frozen=True)
class Check:
    """One check.

    Attributes:
        name: What it is called.
        kind: One of `KINDS`.
        place: Where it is written, for messages; "" of the packaged ones.
        change: How texts are changed; None of a minimum function.
        column: Which column alone is changed, by its name in the data; None: all texts.
        expect: Of a direction, one of `EXPECTED`.
        label: As it is written in the data: what a direction watches, or a minimum function's
            right answer; None: the number, or what `less_sure` says.
        tolerance: Of a direction: how far a probability may move against it.
        texts: Of a minimum function, each with its second text, which may be None.
        decides: Whether it counts for `--most-flipped`.
        about: What it does, in words.
    """

    name: str
    kind: Kind
    place: str = ""
    change: Change | None = None
    column: str | None = None
    expect: Expected | None = None
    label: str | tuple[str, ...] | None = None
    tolerance: float = DIRECTION_TOLERANCE
    texts: tuple[tuple[str, str | None], ...] = ()
    decides: bool = True
    about: str = ""


@dataclass(frozen=True)
class Checks:
    """All that is checked.

    Attributes:
        checks: The checks, in their order.
        slices: Columns of the data by whose values scores are told apart.
        places: Where each of these is written, for messages.
    """

    checks: tuple[Check, ...]
    slices: tuple[str, ...] = ()
    places: tuple[str, ...] = ()

    def with_slices(self, columns: Sequence[str], place: str) -> "Checks":
        """These checks, with further columns by whose values scores are told apart.

        Args:
            columns: The columns.
            place: Where they are given, for messages.
        """
        new = [column for column in dict.fromkeys(columns) if column not in self.slices]
        return replace(
            self, slices=(*self.slices, *new), places=(*self.places, *[place] * len(new))
        )
