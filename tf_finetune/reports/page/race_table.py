"""The trials of a race in their order, with the reason for each."""

from collections.abc import Sequence

from tf_finetune.reports.console import printable
from tf_finetune.reports.page import numbers
from tf_finetune.reports.page.content import ReportContent
from tf_finetune.reports.page.race_steps import FIRST, RaceStep, race_steps
from tf_finetune.reports.page.tables import NAME_CHARACTERS, Table, further_options
from tf_finetune.tasks.metrics import METRICS

# Of trials that no race asked for, by their stage.
_REASONS = {
    "explore": "what its oracle tried",
    "complete": "the best of its depth, for all epochs",
    "widen": "a rate beyond an edge",
    "repeat": "another seed",
}


def race_table(content: ReportContent) -> Table | None:
    """One row a trial, the heads of the first answer in one; None where there was no race."""
    steps = race_steps(content.trials)
    if not steps:
        return None
    first = [step for step in steps if step.turn.stage == FIRST]
    later = [step for step in steps if step.turn.stage != FIRST]
    rows = [_first_cells(first, content)] if first else []
    return Table(
        "What was run when and why",
        (
            *("trial", "began after", "took", "frozen", "learning rate", "seed"),
            *(METRICS[content.metric].title, "right with", "why"),
        ),
        (*rows, *map(_cells, later)),
        words=frozenset({0, 8}),
        emphasized=frozenset(
            place
            for place, step in enumerate(later, start=len(rows))
            if content.is_recommended(step.trial)
        ),
    )


def _first_cells(steps: Sequence[RaceStep], content: ReportContent) -> tuple[str, ...]:
    scores = [step.trial.score for step in steps if step.trial.score is not None]
    best = (min if METRICS[content.metric].lower_is_better else max)(scores, default=None)
    return (
        "first answer",
        numbers.seconds(steps[0].began),
        numbers.seconds(sum(step.turn.seconds for step in steps)),
        *("", numbers.rate(None), "any"),
        numbers.score(best),
        "",
        f"{len(steps)} heads, each solved exactly, from one pass; the best score",
    )


def _cells(step: RaceStep) -> tuple[str, ...]:
    trial, turn = step.trial, step.turn
    return (
        str(step.number),
        numbers.seconds(step.began),
        numbers.seconds(turn.seconds),
        trial.cell.place_words,
        numbers.rate(trial.learning_rate) + further_options(trial),
        "any" if trial.is_solved else str(trial.seed),
        numbers.score(trial.score) if trial.completed else "failed",
        numbers.whole_percent(turn.chance_right),
        printable(turn.why, NAME_CHARACTERS * 3) or _REASONS.get(turn.stage, turn.stage),
    )
