"""What a search runs next, whoever decides it: requests, what is ongoing, and the time.

A schedule is a function of the configuration and of the trials in the journal. What is
asked for and already stands there is not run again, so a search that was killed and
started again goes the same way as one that was not.
"""

from abc import ABC, abstractmethod
from collections import deque
from typing import Literal, NamedTuple

from tf_finetune.searches.leading.race.standing import Standing
from tf_finetune.searches.leading.space import SearchSpace
from tf_finetune.searches.leading.trial_times import TimeBudget, TrialTimes
from tf_finetune.searches.running.records import Stage, TrialJournal, TrialRecord
from tf_finetune.searches.running.trial_request import TrialRequest

Wait = Literal["wait"]


class Assignment(NamedTuple):
    """A request and why it is made.

    Attributes:
        request: What to run.
        stage: Why, in a word.
        why: Of a race, in a few words.
        chance_right: Of a race, the probability that the likeliest answer is right without it.
    """

    request: TrialRequest
    stage: Stage
    why: str = ""
    chance_right: float | None = None


class NotRun(NamedTuple):
    """What a time budget had no room for: planned cells with each seed, without widenings.

    Attributes:
        total: How many trials; of Hyperband about as many.
        known: Those whose cell is known, which an oracle that draws may not have said.
    """

    total: int
    known: tuple[TrialRequest, ...]


class Schedule(ABC):
    """Hands out requests until nothing is left to try.

    Args:
        space: What may be tried.
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
        journal: TrialJournal,
        times: TrialTimes,
        budget: TimeBudget | None = None,
    ):
        self._space = space
        self._journal = journal
        self._times = times
        self._budget = budget
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
            elif not self._allows(request):
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
    @abstractmethod
    def expected_total(self) -> int | None:
        """How many trials there will be in all, as far as can be told; None: it cannot."""

    @property
    @abstractmethod
    def not_run(self) -> NotRun:
        """What there was no time for; nothing without a budget, or where all could run."""

    @property
    def standing(self) -> Standing | None:
        """Where a race stands; None where there is none."""
        return None

    @abstractmethod
    def seconds_left(self, workers: int = 1) -> float | None:
        """Estimate of the time until all trials have ended; None while nothing is known.

        Never more than the budget leaves.
        """

    @abstractmethod
    def _propose(self) -> Assignment | Wait | None:
        """What should run now; the same is proposed once."""

    @abstractmethod
    def _tell(self, request: TrialRequest) -> None:
        """Is called when a request that was proposed is in the journal or has no time."""

    def _allows(self, request: TrialRequest) -> bool:
        return self._budget is None or self._budget.allows(request)

    @property
    def _made(self) -> int:
        """How many trials were handed out or stood in the journal."""
        return len(self._requested) - len(self.skipped)

    def _is_spent(self) -> bool:
        """Whether the number of trials or the time does not allow any more."""
        if self._space.max_trials is not None and self._made >= self._space.max_trials:
            return True
        return self._budget is not None and self._budget.left <= 0.0
