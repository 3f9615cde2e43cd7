"""A search in stages: first what an oracle of KerasTuner explores, then what follows from that."""

from collections.abc import Callable
from dataclasses import dataclass

from tf_finetune.results.trial import Cell
from tf_finetune.searches.leading.exploration import Exploration, OracleName
from tf_finetune.searches.leading.schedule import Assignment, NotRun, Schedule, Wait
from tf_finetune.searches.leading.space import SearchSpace
from tf_finetune.searches.leading.stages import completions, repetitions, widenings
from tf_finetune.searches.leading.trial_times import TimeBudget, TrialTimes
from tf_finetune.searches.running.records import Stage, TrialJournal
from tf_finetune.searches.running.trial_request import TrialRequest


@dataclass(frozen=True)
class StageRules:
    """How a search is led.

    Attributes:
        oracle: What explores.
        epochs: `training.epochs`.
        higher_is_better: Direction of the score.
        widen_edges: Whether to try rates beyond those configured.
    """

    oracle: OracleName
    epochs: int
    higher_is_better: bool
    widen_edges: bool = True


class StagedSchedule(Schedule):
    """Hands out what the oracle explores, then completions, widenings and other seeds.

    Args:
        space: What may be tried.
        rules: How the search is led.
        journal: The trials that ended.
        times: How long trials take.
        budget: The time that is left, or None.
    """

    def __init__(
        self,
        space: SearchSpace,
        rules: StageRules,
        journal: TrialJournal,
        times: TrialTimes,
        budget: TimeBudget | None = None,
    ):
        super().__init__(space, journal, times, budget)
        self._rules = rules
        self._exploration = Exploration(
            rules.oracle,
            space,
            epochs=rules.epochs,
            higher_is_better=rules.higher_is_better,
            replayed=[r.request for r in journal.records.values() if r.stage == "explore"],
        )
        self._explores = True

    @property
    def expected_total(self) -> int:
        """How many trials there will be in all, as far as can be told."""
        return len(self.done) + len(self.ongoing) + len(self._expected())

    @property
    def not_run(self) -> NotRun:
        """What there was no time for; nothing without a budget, or where all could run."""
        if self._budget is None:
            return NotRun(0, ())
        missing = [*self.skipped, *self._missing()]
        known = [r for r in missing if self._rules.oracle == "grid" or r.cell in self._cells_said()]
        return NotRun(len(missing), tuple(known))

    def seconds_left(self, workers: int = 1) -> float | None:
        """Estimate of the time until all trials have ended; None while nothing is known.

        Never more than the budget leaves.
        """
        if not self._times.are_known:
            return None
        open_requests = [a.request for a in self.ongoing.values()] + self._missing()
        seconds = sum(self._times.estimate(request) or 0.0 for request in open_requests)
        # On average half of what is ongoing is done.
        seconds -= sum(self._times.estimate(a.request) or 0.0 for a in self.ongoing.values()) / 2
        seconds /= workers
        return seconds if self._budget is None else min(seconds, max(0.0, self._budget.left))

    def _missing(self) -> list[TrialRequest]:
        """Requests that are likely still to be made and that no earlier process has run."""
        return [r for r in self._expected() if r.key not in self._journal.records]

    def _cells_said(self) -> set[Cell]:
        """Cells that were asked for, by this process or an earlier one."""
        return {request.cell for request in self._explored()}

    def _explored(self) -> list[TrialRequest]:
        """Requests of the first seed, by this process or an earlier one."""
        earlier = [r.request for r in self._journal.records.values()]
        known = {r.key: r for r in earlier if self._space.holds(r.cell)} | self._requested
        return [request for request in known.values() if request.seed == self._space.seeds[0]]

    def _expected(self) -> list[TrialRequest]:
        """Requests that are likely still to be made."""
        space, seed, epochs = self._space, self._space.seeds[0], self._rules.epochs
        cells = space.cells()
        first = [TrialRequest(cell, seed, epochs) for cell in cells]
        explored = self._explored()
        if not self._explores:
            first = [request for request in explored if request.epochs == epochs]
        elif self._rules.oracle != "grid":
            # Which cells is not known: any of the right number.
            count = max(0, min(space.max_cells, len(cells)) - len(explored))
            asked = {request.key for request in explored}
            first = explored + [r for r in first if r.key not in asked][:count]
        records = self._journal.records.values()
        out = {r.request.cell for r in records if not r.is_completed or r.result.given_up}
        wanted = [
            TrialRequest(request.cell, each, epochs)
            for each in space.seeds
            for request in first
            if each == seed or (each in space.seeds_of(request.cell) and request.cell not in out)
        ]
        left = [request for request in wanted if request.key not in self._requested]
        if space.max_trials is not None:
            left = left[: max(0, space.max_trials - self._made)]
        return left

    def _propose(self) -> Assignment | Wait | None:
        if self._explores:
            request = self._exploration.next()
            if request == "wait":
                return "wait"
            if request is not None:
                return Assignment(request, "explore")
            self._explores = False
        if self._is_ongoing("explore"):
            return "wait"
        for stage, wanted in self._stages():
            for request in wanted():
                if request.key not in self._requested:
                    return Assignment(request, stage)
            if self._is_ongoing(stage):
                return "wait"
        return None

    def _stages(self) -> list[tuple[Stage, Callable[[], list[TrialRequest]]]]:
        """The stages after exploration; the first two have to leave room for all seeds."""
        space, rules = self._space, self._rules
        stages: list[tuple[Stage, Callable[[], list[TrialRequest]]]] = []
        if self._has_room():
            stages.append(
                (
                    "complete",
                    lambda: completions(space, self.done, rules.epochs, rules.higher_is_better),
                )
            )
        if self._has_room() and rules.widen_edges:
            stages.append(
                (
                    "widen",
                    lambda: widenings(space, self.done, rules.epochs, rules.higher_is_better),
                )
            )
        stages.append(("repeat", lambda: repetitions(space, self.done, rules.epochs)))
        return stages

    def _has_room(self) -> bool:
        """Whether one cell more can be tried with every seed."""
        if self._space.max_trials is None:
            return True
        full = [
            request
            for request in self._requested.values()
            if request.seed == self._space.seeds[0] and request.epochs == self._rules.epochs
        ]
        return (len(full) + 1) * len(self._space.seeds) <= self._space.max_trials

    def _is_ongoing(self, stage: Stage) -> bool:
        return any(assignment.stage == stage for assignment in self.ongoing.values())

    def _tell(self, request: TrialRequest) -> None:
        if request.key in self._exploration.requests:
            record = self._journal.records.get(request.key)
            self._exploration.tell(request, record.result.score if record else None)
