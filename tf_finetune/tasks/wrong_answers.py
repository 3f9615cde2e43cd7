"""What a model answered wrongly, in the words of the data, and where in the text that is."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from tf_finetune.sources.records import Record

# One class, the names that apply, or a number.
Answer = str | list[str] | float
# From rows, counted inside a split, to the examples that they are of.
RecordsOf = Callable[[np.ndarray], Sequence[Record]]

Verdict = Literal["missed", "invented", "wrong_kind", "wrong_border"]


@dataclass(frozen=True)
class Part:
    """A part of a text that has a name, such as an entity.

    Attributes:
        start: Its first character.
        end: The one after its last.
        label: What it is.
        text: Its characters.
    """

    start: int
    end: int
    label: str
    text: str

    @property
    def words(self) -> str:
        """Such as `city "New York"`."""
        return f'{self.label} "{self.text}"'


@dataclass(frozen=True)
class WrongPart:
    """A part of a text that was answered wrongly.

    Attributes:
        verdict: missed: nothing was found; invented: nothing is there; wrong_border: the same
            kind with other words; wrong_kind: another kind, perhaps with other words too.
        gold: What is there; None of what was invented.
        given: What was found; None of what was missed.
        probability: Of the wrong answer, the mean over its words.
    """

    verdict: Verdict
    gold: Part | None
    given: Part | None
    probability: float

    @property
    def start(self) -> int:
        """The first character of either."""
        return min(part.start for part in (self.gold, self.given) if part)

    @property
    def end(self) -> int:
        """The one after the last of either."""
        return max(part.end for part in (self.gold, self.given) if part)

    @property
    def title(self) -> str:
        """The verdict as it is read."""
        return self.verdict.replace("_", " ")

    @property
    def kinds(self) -> str:
        """What it is or was taken for, such as `city, not country`."""
        gold, given = self.gold, self.given
        if gold and given and gold.label != given.label:
            return f"{gold.label}, not {given.label}"
        return (gold or given).label  # type: ignore[union-attr]

    @property
    def sentence(self) -> str:
        """Such as `missed city "New York"`, or `city "New York" found as country "York"`."""
        if self.gold and self.given:
            return f"{self.gold.words} found as {self.given.words}"
        return f"{self.title} {(self.gold or self.given).words}"  # type: ignore[union-attr]


class WrongAnswer(NamedTuple):
    """An example that was answered wrongly.

    Attributes:
        row: The first of its rows, counted inside the split.
        record: The example.
        label: The right answer.
        predicted: The model's.
        probability: What the model gave the wrong decision that it was surest of; None of numbers.
        output: Which of the outputs that was.
        parts: What is wrong in the text, in its order, where the answer is parts of it.
    """

    row: int
    record: Record
    label: Answer
    predicted: Answer
    probability: float | None
    output: int = 0
    parts: tuple[WrongPart, ...] = ()


def surest_wrong_answers(
    wrongness: np.ndarray,
    answers_of: Callable[[int], tuple[Answer, Answer]],
    probability_of: Callable[[float], float | None],
    records_of: RecordsOf,
    most: int,
) -> list[WrongAnswer]:
    """The examples with the surest wrong decision or the largest error, worst first.

    Args:
        wrongness: As `LabelSpace.wrongness` gives it, float64 [n, C].
        answers_of: Gives the right answer to a row and the model's.
        probability_of: Of a wrongness, where it is one.
        records_of: Gives the examples that some rows are of.
        most: How many at most.
    """
    severity, outputs = wrongness.max(axis=1), wrongness.argmax(axis=1)
    worst_first = np.argsort(-severity, kind="stable")
    worst = worst_first[severity[worst_first] > 0][:most]
    if not len(worst):
        return []
    return [
        WrongAnswer(
            int(row),
            record,
            *answers_of(int(row)),
            probability_of(float(severity[row])),
            int(outputs[row]),
        )
        for row, record in zip(worst, records_of(worst), strict=True)
    ]
