"""Runs made-up races and grids whose truth is known; see `races.py`."""

import argparse
import json
import statistics
from collections import defaultdict
from typing import NamedTuple

from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from tf_finetune.methods.table import METHODS
from tf_finetune.results.recommendation import Rule
from tf_finetune.results.trial import Cell
from tf_finetune.searches.answer.recommendation import recommend
from tf_finetune.searches.leading.race.standing import Standing, standing_after
from tf_finetune.searches.running.records import TrialRecord
from tf_finetune.searches.running.trial_request import TrialRequest
from tf_finetune.tasks.classes import Classes
from tools.benchmarks.simulated_search import EPOCHS, LAYERS, Truth, grid, race

_SIZES = (200, 500, 2000)
_TOLERANCE = 0.01
_CONFIDENCE = 0.95
_RULES: tuple[Rule, ...] = ("one_standard_error", "best", "non_inferior")


class Outcome(NamedTuple):
    """Of one search.

    Attributes:
        said: The probability that the race gives its answer.
        loss: How far its answer is below the best of all cells in truth.
        loss_of_grid: The same of the best cell of the grid.
        seconds_of_grid: Of the race, as a part of the grid's.
        covered: Part of the other tried cells whose loss against the answer lies in truth in the
            95 % interval that the race gives it.
        trials: Of the race.
        trials_of_grid: Of the grid.
        answers: By rule, what is recommended.
    """

    said: float
    loss: float
    loss_of_grid: float
    seconds_of_grid: float
    covered: float
    trials: int
    trials_of_grid: int
    answers: dict[Rule, "Answer"]


class Answer(NamedTuple):
    """What a rule recommends in one search.

    Attributes:
        loss: How far that is below the best of all cells in truth.
        price: Seconds of a trial of it, as a part of those with nothing frozen.
        covered: Whether the interval that the sentence gives for the loss against the best depth
            holds the true one; None where that is the best depth.
    """

    loss: float
    price: float
    covered: bool | None


def main() -> None:
    """Prints a JSON line a row."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--searches", type=int, required=True)
    parser.add_argument("--first", type=int, required=True)
    parser.add_argument("--methods", type=int, required=True)
    arguments = parser.parse_args()
    methods = tuple(METHODS)[: arguments.methods] if arguments.methods > 1 else ()
    numbers = range(arguments.first, arguments.first + arguments.searches)
    with threadpool_limits(limits=1):
        for examples in _SIZES:
            found = [_search(Truth(number, examples, methods=methods)) for number in numbers]
            groups = {
                "all": found,
                "at least 95 %": [one for one in found if one.said >= 0.95],
                "below 95 %": [one for one in found if one.said < 0.95],
            }
            for name, group in groups.items():
                if group:
                    print(json.dumps(_row(examples, name, group)), flush=True)
            for rule in _RULES:
                print(json.dumps(_rule_row(examples, rule, found)), flush=True)


def _search(truth: Truth) -> Outcome:
    rules = truth.rules(_TOLERANCE)
    records, _ = race(truth, rules)
    now = standing_after(truth.space, rules, records)
    assert now is not None
    everything = grid(truth)
    best = max(map(truth.score, now.candidates.cells))
    return Outcome(
        said=1.0 - float(now.chances[now.surest]),
        loss=best - truth.score(now.candidates.cells[now.surest]),
        loss_of_grid=best - truth.score(_best(everything)),
        seconds_of_grid=_seconds(records) / _seconds(everything),
        covered=_covered(truth, now),
        trials=len(records),
        trials_of_grid=len(everything),
        answers={rule: _answer(truth, records, now, rule, best) for rule in _RULES},
    )


def _answer(
    truth: Truth, records: list[TrialRecord], now: Standing, rule: Rule, best: float
) -> Answer:
    """What a rule recommends after a race, beside the score of the best of all cells."""
    found = recommend(
        [record.result for record in records],
        Classes(("right", "wrong")),
        "accuracy",
        True,
        num_layers=LAYERS,
        confidence=_CONFIDENCE,
        tolerance=_TOLERANCE,
        rule=rule,
        race=now,
    )
    cell, loss = found.recommended.cell, found.loss
    lost = truth.score(found.best.cell) - truth.score(cell)
    whole = truth.seconds(TrialRequest(Cell(0, 1e-5), 0, EPOCHS))
    return Answer(
        best - truth.score(cell),
        truth.seconds(TrialRequest(cell, 0, EPOCHS)) / whole,
        None if loss is None else loss.low <= lost <= loss.high,
    )


def _covered(truth: Truth, now: Standing) -> float:
    answer = now.candidates.cells[now.surest]
    inside = []
    for cell in (now.candidates.cells[at] for at in now.observed.at if at != now.surest):
        loss = now.loss(cell, answer, _CONFIDENCE)
        lost = truth.score(answer) - truth.score(cell)
        inside.append(loss is not None and loss.low <= lost <= loss.high)
    return statistics.fmean(inside)


def _best(records: list[TrialRecord]) -> Cell:
    """The cell with the highest mean score."""
    scores: dict[Cell, list[float]] = defaultdict(list)
    for record in records:
        scores[record.request.cell].append(record.result.score or 0.0)
    return max(scores, key=lambda cell: statistics.fmean(scores[cell]))


def _seconds(records: list[TrialRecord]) -> float:
    return sum(record.wall_seconds for record in records)


def _row(examples: int, name: str, group: list[Outcome]) -> dict[str, object]:
    fields = [field for field in Outcome._fields if field != "answers"]
    means = {field: statistics.fmean(getattr(one, field) for one in group) for field in fields}
    right = statistics.fmean(one.loss <= _TOLERANCE for one in group)
    return {"examples": examples, "answers": name, "races": len(group), "right": right} | means


def _rule_row(examples: int, rule: Rule, group: list[Outcome]) -> dict[str, object]:
    answers = [one.answers[rule] for one in group]
    covered = [one.covered for one in answers if one.covered is not None]
    return {
        "examples": examples,
        "rule": rule,
        "races": len(answers),
        "loss": statistics.fmean(one.loss for one in answers),
        "price": statistics.fmean(one.price for one in answers),
        "told": len(covered),
        "covered": statistics.fmean(covered) if covered else None,
    }


if __name__ == "__main__":
    main()
