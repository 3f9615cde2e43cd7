"""A race as a page tells it: which trial was run when, and what it added to those before."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from tf_finetune.reports.page.content import TrialRow, Turn
from tf_finetune.results.trial import Cell

RACE = "race"  # the stage of a trial that a race asked for
FIRST = "first"  # that of the heads of the first answer


class Kind(StrEnum):
    """What a trial added to those before it."""

    SOLVED = "a head, solved exactly"
    NEW_DEPTH = "a new depth"
    OTHER_CELL = "another rate or option"
    OTHER_SEED = "another seed"
    FAILED = "failed"


@dataclass(frozen=True)
class RaceStep:
    """One trial of a race.

    Attributes:
        trial: The trial.
        turn: When and why it was run.
        number: Its place among the trials after the first answer, from 1; 0 in the first answer.
        began: Seconds that the trials before it took.
        kind: What it added to them.
    """

    trial: TrialRow
    turn: Turn
    number: int
    began: float
    kind: Kind

    @property
    def ended(self) -> float:
        """Seconds that the trials took until its end."""
        return self.began + self.turn.seconds

    @property
    def label(self) -> str:
        """What is told beside its mark: the learning rate."""
        return "" if self.trial.is_solved else self.trial.rate_words.removeprefix("lr ")


def race_steps(trials: Sequence[TrialRow]) -> list[RaceStep]:
    """The trials in the order in which they ended; none where no race asked for any."""
    turns = sorted(
        ((trial.turn, trial) for trial in trials if trial.turn is not None),
        key=lambda pair: pair[0].number,
    )
    if all(turn.stage != RACE for turn, _ in turns):
        return []
    steps: list[RaceStep] = []
    seen: set[Cell] = set()
    number, began = 0, 0.0
    for turn, trial in turns:
        number += turn.stage != FIRST
        place = 0 if turn.stage == FIRST else number
        steps.append(RaceStep(trial, turn, place, began, _kind(trial, seen)))
        began += turn.seconds
        seen.add(trial.cell)
    return steps


def _kind(trial: TrialRow, seen: set[Cell]) -> Kind:
    if not trial.completed:
        return Kind.FAILED
    if trial.is_solved:
        return Kind.SOLVED
    if trial.cell in seen:
        return Kind.OTHER_SEED
    trained = {cell.place for cell in seen if not cell.is_solved}
    return Kind.OTHER_CELL if trial.cell.place in trained else Kind.NEW_DEPTH
