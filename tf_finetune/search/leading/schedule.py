"""What a search runs next: first what the oracle explores, then what follows from that.

A schedule is a function of the configuration and of the trials in the journal. What is
asked for and already stands there is not run again, so a search that was killed and
started again goes the same way as one that was not.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from tf_finetune.results.trial import Cell
from tf_finetune.search.leading.exploration import Exploration, OracleName, Wait
from tf_finetune.search.leading.space import SearchSpace
from tf_finetune.search.leading.stages import completions, repetitions, widenings
from tf_finetune.search.leading.trial_times import TimeBudget, TrialTimes
from tf_finetune.search.running.records import Stage, TrialJournal, TrialRecord
from tf_finetune.search.running.trial_request import TrialRequest


class Assignment(NamedTuple):
    """A request and why it is made."""

    request: TrialRequest
    stage: Stage


class NotRun(NamedTuple):
    """What a time budget had no room for: planned cells with each seed, without widenings.

    Attributes:
        total: How many trials; of Hyperband about as many.
        known: Those whose cell is known, which an oracle that draws may not have said.
    """

    total: int
    known: tuple[TrialRequest, ...]


@dataclass(frozen=True)
class Rules:
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


class Schedule:
    """Hands out requests until nothing is left to try.

    Args:
        space: What may be tried.
        rules: How the search is led.
        journal: The trials that ended.
        times: How long trials take.
        budget: The time that is left, or None.

    Attributes:
        ongoing: Assignments that were handed out and have not ended.
        skipped: Requests for which there was no time.
        is_done: Whether there was nothing left to hand out.
    """

    def __init__(
        self,
        space: SearchSpace,
        rules: Rules,
        journal: TrialJournal,
        times: TrialTimes,
        budget: TimeBudget | None = None,
    ):
        self._space = space
        self._rules = rules
        self._journal = journal
        self._times = times
        self._budget = budget
        self._exploration = Exploration(
            rules.oracle,
            space,
            epochs=rules.epochs,
            higher_is_better=rules.higher_is_better,
            replayed=[r.request for r in journal.records.values() if r.stage == "explore"],
        )
        self._explores = True
        self._requested: dict[str, TrialRequest] = {}
        self._again: deque[Assignment] = deque()
        self.ongoing: dict[str, Assignment] = {}
        self.skipped: list[TrialRequest] = []
        self.is_done = False
        times.add(journal.records.values())

    def next(self) -> Assignment | Wait | None:
        """What to run now; "wait" if that depends on what is ongoing; None if all is done."""
        if self._again:
            assignment = self._again.popleft()
            self.ongoing[assignment.request.key] = assignment
            return assignment
        while not self._is_spent():
            proposed = self._propose()
            if proposed is None:
                break
            if proposed == "wait":
                return "wait"
            request = proposed.request
            self._requested[request.key] = request
            if request.key in self._journal.records:
                self._tell(request)
            elif self._budget is not None and not self._budget.allows(request):
                self.skipped.append(request)
                self._tell(request)
            else:
                self.ongoing[request.key] = proposed
                return proposed
        self.is_done = True
        return None

    def end(self, request: TrialRequest) -> TrialRecord | None:
        """Notes that a trial ended: its record is in the journal, or else it will run again."""
        assignment = self.ongoing.pop(request.key)
        record = self._journal.records.get(request.key)
        if record is None:
            self._again.append(assignment)
            return None
        self._times.add([record])
        self._tell(request)
        return record

    @property
    def done(self) -> list[TrialRecord]:
        """Records of the requests that were made, in the order in which they were made."""
        known = self._journal.records
        return [known[key] for key in self._requested if key in known]

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

    @property
    def _made(self) -> int:
        """How many trials were handed out or stood in the journal."""
        return len(self._requested) - len(self.skipped)

    def _is_spent(self) -> bool:
        """Whether the number of trials or the time does not allow any more."""
        if self._space.max_trials is not None and self._made >= self._space.max_trials:
            return True
        return self._budget is not None and self._budget.left <= 0.0

    def _is_ongoing(self, stage: Stage) -> bool:
        return any(assignment.stage == stage for assignment in self.ongoing.values())

    def _tell(self, request: TrialRequest) -> None:
        if request.key in self._exploration.requests:
            record = self._journal.records.get(request.key)
            self._exploration.tell(request, record.result.score if record else None)
