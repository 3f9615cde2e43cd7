"""A race as a schedule: a function of the journal, of what runs now, and of the time left."""

from tf_finetune.searches.leading.race.race import Ending, Race, Step
from tf_finetune.searches.leading.race.standing import RaceRules, Standing
from tf_finetune.searches.leading.schedule import Assignment, NotRun, Schedule, Wait
from tf_finetune.searches.leading.space import SearchSpace
from tf_finetune.searches.leading.trial_times import TimeBudget, TrialTimes
from tf_finetune.searches.running.records import TrialJournal
from tf_finetune.searches.running.trial_request import TrialRequest

# A depth gets about one trial and a half, of which the first ones say whether it gets more.
TRIALS_AT_DEPTH = 2


class RaceSchedule(Schedule):
    """Hands out what the race asks for until it ends.

    Args:
        space: What may be tried.
        rules: How the race is led.
        journal: The trials that ended.
        times: How long trials take.
        budget: The time that is left, or None.

    Attributes:
        ending: Why the race ended; None while it runs, and where trials or time ran out.
    """

    def __init__(
        self,
        space: SearchSpace,
        rules: RaceRules,
        journal: TrialJournal,
        times: TrialTimes,
        budget: TimeBudget | None = None,
    ):
        super().__init__(space, journal, times, budget)
        self._race = Race(space, rules, times.relative)
        # Of an earlier process; what other oracles or the first answer ran does not count as its.
        self._requested = {
            key: record.request
            for key, record in journal.records.items()
            if record.stage == "race" or space.holds(record.request.cell)
        }
        self.ending: Ending | None = None

    @property
    def expected_total(self) -> None:
        """Nobody knows: it depends on what comes of the trials."""
        return None

    @property
    def not_run(self) -> NotRun:
        """The trial that would have been next, had there been time."""
        if self._budget is None:
            return NotRun(0, ())
        step = self._race.next(self._journal.records.values())
        known = (step.request,) if isinstance(step, Step) else ()
        return NotRun(len(known), known)

    @property
    def standing(self) -> Standing | None:
        """Where the race stands; None before the first trial."""
        return self._race.standing(self._journal.records.values())

    def seconds_left(self, workers: int = 1) -> float | None:
        """What the budget leaves; None without one."""
        return None if self._budget is None else max(0.0, self._budget.left)

    def _tell(self, request: TrialRequest) -> None:
        """Nothing: the race looks into the journal."""

    def _propose(self) -> Assignment | Wait | None:
        ongoing = [assignment.request for assignment in self.ongoing.values()]
        step = self._race.next(self._journal.records.values(), ongoing, self._allows)
        if isinstance(step, Step):
            return Assignment(step.request, "race", step.why, step.chance_right)
        if ongoing:
            return "wait"
        self.ending = step
        return None
