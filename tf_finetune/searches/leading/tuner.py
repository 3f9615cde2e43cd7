"""The search as a KerasTuner `Tuner` and `Oracle`, alone or as chief and workers.

The tuner runs a trial and writes it to the journal before it answers, so the journal knows
at least what the oracle knows. The oracle hands out what the `Schedule` says. KerasTuner
1.4.8 keeps no state here: both write nothing, and its own `run_trial`, which decides by the
installed Keras 3, is not used.
"""

import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Protocol

import keras_tuner
from keras_tuner.engine import trial as keras_tuner_trial

from tf_finetune.searches.leading.exploration import OBJECTIVE
from tf_finetune.searches.leading.schedule import Assignment, Schedule
from tf_finetune.searches.running.records import Stage, TrialJournal, TrialRecord
from tf_finetune.searches.running.trial_request import TrialRequest

_POLL_SECONDS = 0.2


class Listener(Protocol):
    """What is told how a search goes on."""

    def on_begin(self, tuner_id: str, request: TrialRequest) -> None:
        """A worker began a trial."""

    def on_end(self, tuner_id: str, record: TrialRecord) -> None:
        """A trial ended and is in the journal."""


class SearchOracle(keras_tuner.Oracle):
    """Hands out the schedule's requests to tuners, in this process or over gRPC.

    The base class' `synchronized` never lets go of its lock when a call raises, so calls
    are kept apart here.

    Args:
        schedule: What to run.
        journal: Where tuners write what came of it.
        higher_is_better: Direction of the score.
        listener: Is told how the search goes on.

    Attributes:
        error: What went wrong in a call, which over gRPC the caller would not be told.
    """

    def __init__(
        self,
        schedule: Schedule,
        journal: TrialJournal,
        higher_is_better: bool,
        listener: Listener,
    ):
        super().__init__(objective=objective(higher_is_better))
        self.verbose = 0
        self._schedule = schedule
        self._journal = journal
        self._listener = listener
        self._calls = threading.RLock()
        self.error: Exception | None = None

    def create_trial(self, tuner_id: str) -> Any:
        """The next trial of a tuner; one that was lost and comes again gets its trial again."""
        with self._calls, self._noting_errors():
            if tuner_id in self.ongoing_trials:
                return self.ongoing_trials[tuner_id]
            found = self._schedule.next()
            if found is None or found == "wait":
                status = "STOPPED" if found is None else "IDLE"
                return keras_tuner_trial.Trial(keras_tuner.HyperParameters(), "", status)
            values = keras_tuner.HyperParameters()
            values.Fixed("request", found.request.to_text())
            values.Fixed("stage", found.stage)
            values.Fixed("why", found.why)
            if found.chance_right is not None:
                values.Fixed("chance_right", found.chance_right)
            trial = keras_tuner_trial.Trial(values, f"{len(self.trials):06d}")
            self.trials[trial.trial_id] = self.ongoing_trials[tuner_id] = trial
            self._listener.on_begin(tuner_id, found.request)
            return trial

    def update_trial(self, trial_id: str, metrics: dict[str, float], step: int = 0) -> Any:
        """The score is in the journal already."""
        return self.trials[trial_id]

    def end_trial(self, trial: Any) -> None:
        """Notes that a tuner ended its trial."""
        with self._calls, self._noting_errors():
            owners = [
                tuner_id
                for tuner_id, ongoing in self.ongoing_trials.items()
                if ongoing.trial_id == trial.trial_id
            ]
            for tuner_id in owners:
                self.ongoing_trials.pop(tuner_id)
                self._journal.refresh()
                record = self._schedule.end(assignment_of(trial).request)
                if record is not None:
                    self._listener.on_end(tuner_id, record)

    def ongoing_of(self, tuner_id: str) -> Assignment | None:
        """What a tuner is at."""
        with self._calls:
            trial = self.ongoing_trials.get(tuner_id)
            return None if trial is None else assignment_of(trial)

    def give_up(self, tuner_id: str, record: TrialRecord) -> None:
        """Ends the trial of a tuner that was lost again and again."""
        with self._calls:
            self._journal.append(record)
            self.end_trial(self.ongoing_trials[tuner_id])

    @property
    def is_done(self) -> bool:
        """Whether nothing is ongoing and nothing is left to try."""
        with self._calls:
            return not self.ongoing_trials and self._schedule.is_done

    def save(self) -> None:
        """Writes nothing: the journal is the record."""

    @contextmanager
    def _noting_errors(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            self.error = error
            raise


class DepthTuner(keras_tuner.Tuner):
    """Runs the trials that an oracle hands out.

    Args:
        oracle: A `SearchOracle`; in a worker process any oracle, which stands for the
            chief's.
        run: Runs a trial.
        write: Puts its record into the journal.
        after: Is called with a record that is safely in the journal.
    """

    def __init__(
        self,
        oracle: keras_tuner.Oracle,
        run: Callable[[TrialRequest, Stage], TrialRecord],
        write: Callable[[TrialRecord], None],
        after: Callable[[TrialRecord], None] = lambda record: None,
    ):
        # It looks for its state there and makes a folder; nothing is ever written.
        with tempfile.TemporaryDirectory(prefix="tf-finetune-") as scratch:
            super().__init__(oracle, directory=scratch, project_name="search")
        self._run = run
        self._write = write
        self._after = after
        self._waits = False

    def search(self, *args: Any, **kwargs: Any) -> None:
        """Runs trials until the oracle has no more.

        Raises:
            Exception: What a trial raised that is no trial's own failure.
        """
        try:
            super().search(*args, **kwargs)
        except keras_tuner.errors.FatalError as error:
            raise (error.__cause__ or error) from None

    def run_trial(self, trial: Any, *args: Any, **kwargs: Any) -> dict[str, float]:
        """Runs one trial and writes it to the journal.

        Returns:
            Its score.

        Raises:
            keras_tuner.errors.FailedTrialError: The trial failed; its record says why.
            keras_tuner.errors.FatalError: The search cannot go on; says why as its cause.
        """
        asked = assignment_of(trial)
        try:
            record = self._run(asked.request, asked.stage)
            record = replace(record, why=asked.why, chance_right=asked.chance_right)
            self._write(record)
            self._after(record)
        except Exception as error:
            # KerasTuner takes any other exception for a failed trial and goes on.
            raise keras_tuner.errors.FatalError(str(error)) from error
        if record.result.score is None:
            raise keras_tuner.errors.FailedTrialError(record.result.reason)
        return {OBJECTIVE: record.result.score}

    def pre_create_trial(self) -> None:
        """Waits a moment after the oracle had nothing to hand out."""
        if self._waits:
            time.sleep(_POLL_SECONDS)
        self._waits = True

    def on_trial_begin(self, trial: Any) -> None:
        """Notes that the oracle had something."""
        self._waits = False

    def save(self) -> None:
        """Writes nothing: the journal is the record."""


def assignment_of(trial: Any) -> Assignment:
    """What KerasTuner's trial asks for."""
    values = trial.hyperparameters.values
    return Assignment(
        TrialRequest.from_text(values["request"]),
        values["stage"],
        values["why"],
        values.get("chance_right"),
    )


def objective(higher_is_better: bool) -> keras_tuner.Objective:
    """The one number that trials are compared by."""
    return keras_tuner.Objective(OBJECTIVE, "max" if higher_is_better else "min")
