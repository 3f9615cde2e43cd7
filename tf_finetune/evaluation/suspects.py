"""Examples whose label is probably wrong, as a list that a person looks through."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Suspect:
    """An example whose label is probably wrong.

    Attributes:
        file: The source that it stands in.
        row: Its row there, from 1.
        text: The text.
        text_pair: Its second text, or None.
        label: The label that it has.
        suggested: A likelier one.
        probability: Of its label, by a head that has not seen it.
        probability_suggested: Of the likelier one.
    """

    file: str
    row: int
    text: str
    text_pair: str | None
    label: str
    suggested: str
    probability: float
    probability_suggested: float


@dataclass(frozen=True)
class Suspects:
    """What was found.

    Attributes:
        listed: The likeliest first, no more than were asked for.
        found: How many are suspect in all.
        estimated: How many labels are wrong, as their counts say.
        examples: How many there are.
        source: Where they are from.
        written: The file of the list.
    """

    listed: tuple[Suspect, ...]
    found: int
    estimated: float
    examples: int
    source: str
    written: Path

    @property
    def summary(self) -> str:
        """What was found, in a sentence."""
        share = 100 * self.estimated / self.examples
        return (
            f"{self.source}: {self.found:,} of {self.examples:,} labels are suspect; about "
            f"{self.estimated:,.0f} ({share:.1f} %) are estimated to be wrong"
        )
