"""How long trials take: for the time that is left, and for keeping a time budget."""

import statistics
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tf_finetune.results.trial import Place
from tf_finetune.searches.running.records import TrialRecord
from tf_finetune.searches.running.trial_request import TrialRequest

# A trial may take this much longer than estimated.
_MARGIN = 1.1


class TrialTimes:
    """Estimates from the trials that ended, scaled by their work where a place is new.

    Args:
        work_by_place: Floating-point operations of an epoch at each depth, by each method,
            validation included.
    """

    def __init__(self, work_by_place: Mapping[Place, float]):
        self._work = work_by_place
        self._records: dict[str, TrialRecord] = {}
        self._seconds_per_work: float | None = None

    def add(self, records: Iterable[TrialRecord]) -> None:
        """Takes trials that ended.

        Those that failed or were given up say nothing, nor do those of the first answer, which
        share one pass and train nothing.
        """
        self._records |= {
            r.request.key: r
            for r in records
            if r.is_completed and not r.result.given_up and r.stage != "first"
        }

    def calibrate(self, request: TrialRequest, epoch_seconds: float) -> None:
        """Takes a measured epoch as the estimate until a trial has ended."""
        self._seconds_per_work = epoch_seconds / self._work_of(request)

    @property
    def are_known(self) -> bool:
        """Whether anything can be estimated."""
        return bool(self._records) or self._seconds_per_work is not None

    def estimate(self, request: TrialRequest) -> float | None:
        """Seconds that a trial will take from its beginning to its end; None if unknown."""
        alike = [
            record.wall_seconds / record.request.epochs
            for record in self._records.values()
            if record.request.cell.place == request.cell.place
        ]
        if alike:
            return statistics.median(alike) * request.epochs
        # At the same depth they read, or do not read, cached states as this one will.
        same_depth = [
            record.wall_seconds / self._work_of(record.request)
            for record in self._records.values()
            if record.request.cell.frozen_depth == request.cell.frozen_depth
        ]
        if same_depth:
            return statistics.median(same_depth) * self._work_of(request)
        rates = [r.wall_seconds / self._work_of(r.request) for r in self._records.values()]
        # Trials that read cached states say too little about a depth that has none, so the
        # calibration, which reads none, comes first, and then the slowest.
        rate = self._seconds_per_work or max(rates, default=None)
        return None if rate is None else rate * self._work_of(request)

    def relative(self, request: TrialRequest) -> float:
        """Seconds that a trial will take or, while nothing is known, its work."""
        estimate = self.estimate(request)
        return self._work_of(request) if estimate is None else estimate

    def _work_of(self, request: TrialRequest) -> float:
        return self._work.get(request.cell.place, 1.0) * request.epochs


@dataclass
class TimeBudget:
    """The time that all trials of a search may take together.

    Attributes:
        seconds: The budget; what earlier processes spent on finished trials counts.
        times: Estimates.
        spent_before: Seconds of the trials that earlier processes finished.
        started: `time.monotonic()` when this process began its trials.
    """

    seconds: float
    times: TrialTimes
    spent_before: float
    started: float

    @property
    def left(self) -> float:
        """Seconds that are left."""
        return self.seconds - self.spent_before - (time.monotonic() - self.started)

    def allows(self, request: TrialRequest) -> bool:
        """Whether a trial would end in time; one that cannot be estimated while time is left."""
        estimate = self.times.estimate(request)
        return self.left > (estimate or 0.0) * _MARGIN
