"""A search from its first trial to its last, in this process or over workers."""

import signal
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import NamedTuple

from keras_tuner import Oracle
from rich.console import Console
from rich.text import Text

from tf_finetune.data.folds import rounds_of
from tf_finetune.errors import UserError, visible
from tf_finetune.machine.interruption import Interrupted
from tf_finetune.methods.settings import setting_of
from tf_finetune.models.spec import spec_of
from tf_finetune.options.value_checks import duration_seconds
from tf_finetune.results.recommendation import Recommendation
from tf_finetune.results.trial import Place, TrialResult
from tf_finetune.searches.answer.pooled_heads import pooled_heads
from tf_finetune.searches.answer.recommendation import recommend
from tf_finetune.searches.answer.reporting import write_columns, write_trial
from tf_finetune.searches.leading.first_answer import first_answer
from tf_finetune.searches.leading.job import SearchJob
from tf_finetune.searches.leading.parallel import end_with_chief, run_chief, worker_command
from tf_finetune.searches.leading.race.race_schedule import TRIALS_AT_DEPTH, RaceSchedule
from tf_finetune.searches.leading.race.rules import race_rules
from tf_finetune.searches.leading.race.standing import Standing
from tf_finetune.searches.leading.roles import is_chief
from tf_finetune.searches.leading.schedule import NotRun, Schedule
from tf_finetune.searches.leading.staged_schedule import StagedSchedule, StageRules
from tf_finetune.searches.leading.trial_times import TimeBudget, TrialTimes
from tf_finetune.searches.leading.tuner import DepthTuner, SearchOracle, objective
from tf_finetune.searches.running.live import Progress, SearchDisplay, describe, duration
from tf_finetune.searches.running.records import TrialRecord
from tf_finetune.searches.running.runner import TrialRunner
from tf_finetune.searches.running.trial_request import TrialRequest
from tf_finetune.training.bad_numbers import NonFiniteError
from tf_finetune.training.memory_limits import OutOfMemoryError
from tf_finetune.training.strategy import build_strategy


class SearchedTrials(NamedTuple):
    """What came of a search.

    Attributes:
        records: Every trial that ended.
        not_run: What the time budget had no room for.
        runner: What ran them here, with its models and cached states; None if workers did.
        race: Where the race stands, if there was one.
        interrupted: What ended the search before its last trial; None: nothing did.
    """

    records: tuple[TrialRecord, ...]
    not_run: NotRun
    runner: TrialRunner | None
    race: Standing | None
    interrupted: Interrupted | None = None


def run_trials(job: SearchJob, console: Console, started: float) -> SearchedTrials:
    """Runs what the journal does not have yet, the first answer before everything else.

    Ctrl-C ends it with what there is, once a trial has trained for all epochs.

    Args:
        job: The search.
        console: Where progress is shown.
        started: `time.time()` when the command began.

    Raises:
        UserError: The time budget is too short for a single trial, or something concerns
            every trial.
        Interrupted: SIGTERM, or there is no such trial; the journal and the checkpoints hold all
            that was done.
    """
    for notice in job.journal.notices:
        console.print(Text(visible(notice), style="yellow"), soft_wrap=True)
    if job.config.run.tensorboard:
        write_columns(job)
    answer_first(job, console, started)
    times = TrialTimes(work_by_place(job))
    known = list(job.journal.records.values())
    budget = _budget(job, times, known)
    schedule = _schedule(job, times, budget)
    workers = job.config.search.workers

    def progress() -> Progress:
        return Progress(len(schedule.done), schedule.expected_total, schedule.seconds_left(workers))

    runner: TrialRunner | None = None
    interrupted: Interrupted | None = None
    with SearchDisplay(console, job.metric, job.higher_is_better, progress, known) as display:
        oracle = SearchOracle(schedule, job.journal, job.higher_is_better, display)
        try:
            if workers > 1 or is_chief():
                run_chief(
                    oracle,
                    workers if workers > 1 else 0,
                    worker_command(job.directory.config),
                    job.directory.workers,
                )
            else:
                runner = _runner(job, display.on_line, display.note)
                if budget is not None and not times.are_known:
                    _calibrate(job, runner, times, budget)
                _tuner(oracle, runner, job).search()
        except Interrupted as stop:
            whole = comparable(job, job.journal.known_to_all())
            if stop.signum != signal.SIGINT or not any(r.is_completed for r in whole):
                raise
            interrupted = stop
    records = tuple(job.journal.records.values())
    not_run = schedule.not_run
    if not records and not_run.total:
        raise _too_short(job, times.estimate(not_run.known[0]) if not_run.known else None)
    return SearchedTrials(records, not_run, runner, schedule.standing, interrupted)


def answer_first(job: SearchJob, console: Console, started: float) -> None:
    """Solves the heads of the first answer that the journal lacks, and says what they come to.

    Args:
        job: The search.
        console: Where it is said.
        started: `time.time()` when the command began.

    Raises:
        UserError: The time budget is shorter than this takes.
    """

    def after(record: TrialRecord) -> None:
        if job.config.run.tensorboard:
            write_trial(job, record)

    def tell(line: str) -> None:
        console.print(Text(visible(line)), soft_wrap=True)

    solved = first_answer(job, tell, after)
    if not any(record.is_completed for record in solved):
        return
    heads = [r.result for r in job.journal.records.values() if r.stage == "first"]
    found = recommended(job, heads)
    tell(f"first answer after {duration(time.time() - started)}: {found.answer}")


def recommended(
    job: SearchJob,
    trials: Sequence[TrialResult],
    race: Standing | None = None,
) -> Recommendation:
    """What some of a search's trials come to; see `recommend` and, of heads, `pooled_heads`."""
    heads = pooled_heads(trials, job.splits.labels)
    found = recommend(
        trials if heads is None else heads.trials,
        job.splits.labels,
        job.metric,
        job.higher_is_better,
        num_layers=job.files.num_layers,
        confidence=job.config.evaluation.confidence,
        tolerance=job.config.search.tolerance,
        folds=job.folds if heads is None else heads.folds,
        has_pooler=job.files.has_pooler,
        rule=job.config.search.rule,
        # A race compares on the validation examples, and has learnt of nothing else yet.
        race=race if heads is None else None,
    )
    return found if heads is None else replace(found, notes=(*found.notes, heads.note))


def _schedule(job: SearchJob, times: TrialTimes, budget: TimeBudget | None) -> Schedule:
    search = job.config.search
    if search.oracle == "race":
        return RaceSchedule(job.space, race_rules(job), job.journal, times, budget)
    rules = StageRules(
        oracle=search.oracle,
        epochs=job.config.training.epochs,
        higher_is_better=job.higher_is_better,
        widen_edges=search.widen_edges,
    )
    return StagedSchedule(job.space, rules, job.journal, times, budget)


def run_worker(job: SearchJob) -> None:
    """Runs the trials that the chief hands out, until it has no more."""
    end_with_chief()
    # Only stands for the chief's oracle, to which KerasTuner connects.
    oracle = Oracle(objective=objective(job.higher_is_better))
    _tuner(oracle, _runner(job, note=_to_own_log), job).search()


def work_by_place(job: SearchJob) -> dict[Place, float]:
    """Floating-point operations of an epoch of a trial by depth and method, scoring included."""
    rounds = rounds_of(job.splits)
    trained, scored = sum(len(r.trained) for r in rounds), sum(len(r.scored) for r in rounds)
    work = {}
    for place in job.space.places:
        freeze = job.config.freeze.model_copy(update={"depth": place.depth, "rules": ()})
        method = job.config.method if place.method is None else setting_of(place.method)
        config = job.config.model_copy(update={"method": method})
        spec = spec_of(config, job.files, job.splits.labels, freeze=freeze)
        cost = spec.cost(1, job.splits.train.mean_length)
        if job.space.is_solved(place):  # one pass in place of all epochs
            work[place] = cost.forward_flops * (trained + scored) / job.config.training.epochs
            continue
        read = trained * method.readings
        work[place] = float(cost.step_flops * read + cost.forward_flops * scored)
    return work


def session_notes(job: SearchJob, found: SearchedTrials) -> list[str]:
    """Sentences about how the search was led, none if there is nothing to say."""
    notes = job.files.depth_notes()
    if found.interrupted is not None:
        notes.append(f"The search was interrupted after {len(found.records)} trials.")
    if found.not_run.total:
        notes.append(budget_note(job.config.search.time_budget or "", found.not_run))
    epochs = job.config.training.epochs
    completed = [record for record in found.records if record.is_completed]
    full = {r.request.cell.place for r in completed if r.is_whole(epochs)}
    partly = {r.request.cell.place: r.request.cell.place_words for r in completed}
    notes += [
        f"Depth {partly[place]} was tried for fewer than {epochs} epochs alone and is left out."
        for place in sorted(partly.keys() - full, key=str)
    ]
    pieces = max((r.result.micro_batches or 0 for r in completed), default=0)
    planned = job.config.training.accumulation_steps
    if pieces > planned:
        cut = sum((r.result.micro_batches or 0) > planned for r in completed)
        notes.append(
            f"{cut} trials did not fit the memory with training.accumulation_steps={planned} and "
            f"were computed in up to {pieces} micro-batches a step, of the same batches."
        )
    given_up = sum(record.result.given_up for record in completed)
    if given_up:
        notes.append(
            f"{given_up} trials were given up early, because others at their depth were better; "
            "they are left out."
        )
    return notes


def budget_note(budget: str, not_run: NotRun) -> str:
    """What a time budget had no room for, the first three by name."""
    trials = "1 trial" if not_run.total == 1 else f"{not_run.total:,} trials"
    text = f"The time budget of {budget} had no room for {trials}"
    named = not_run.known[:3]
    if not named:
        return f"{text}."
    more = not_run.total - len(named)
    names = "; ".join(map(describe, named)) + (f"; and {more:,} more" if more else "")
    return f"{text}: {names}."


def comparable(job: SearchJob, records: Sequence[TrialRecord]) -> list[TrialRecord]:
    """The trials that trained for all epochs (or failed), and so can be compared."""
    epochs = job.config.training.epochs
    return [r for r in records if r.is_whole(epochs) or not r.is_completed]


def _to_own_log(line: str) -> None:
    print(line, flush=True)


def _runner(
    job: SearchJob,
    report: Callable[[str], None] = lambda line: None,
    note: Callable[[str], None] = lambda line: None,
) -> TrialRunner:
    chosen = build_strategy(job.config.training.strategy)
    return TrialRunner(
        job.files,
        job.splits,
        job.config,
        chosen,
        job.directory,
        trials_at_depth=_trials_at_depth(job),
        report=report,
        note=note,
        records=job.journal.known_to_all,
    )


def _trials_at_depth(job: SearchJob) -> int:
    """How many trials a depth is likely to get."""
    space = job.space
    every = max(1, space.max_cells // len(space.depths)) * len(space.seeds)
    few = TRIALS_AT_DEPTH * max(1, len(space.methods))
    return min(every, few) if job.config.search.oracle == "race" else every


def _tuner(oracle: Oracle, runner: TrialRunner, job: SearchJob) -> DepthTuner:
    def write(record: TrialRecord) -> None:
        runner.with_disk_room(lambda: job.journal.append(record))

    def after(record: TrialRecord) -> None:
        runner.remove_checkpoints(record)
        if job.config.run.tensorboard:
            write_trial(job, record)

    return DepthTuner(oracle, runner.run, write, after)


def _budget(job: SearchJob, times: TrialTimes, known: Sequence[TrialRecord]) -> TimeBudget | None:
    text = job.config.search.time_budget
    if text is None:
        return None
    spent = sum(record.wall_seconds for record in known)
    return TimeBudget(duration_seconds(text), times, spent, time.monotonic())


def _calibrate(job: SearchJob, runner: TrialRunner, times: TrialTimes, budget: TimeBudget) -> None:
    """Measures a few steps of the cheapest trial, to know whether any has time."""
    stepwise = [cell for cell in job.space.cells() if not cell.is_solved]
    if not stepwise:  # nothing would be learnt without doing it
        return
    request = TrialRequest(stepwise[0], job.space.seeds[0], job.config.training.epochs)
    with suppress(NonFiniteError, OutOfMemoryError):  # the trial itself will say it
        times.calibrate(request, runner.measure_epoch(request))
    if not budget.allows(request) and not job.journal.records:
        raise _too_short(job, times.estimate(request))


def _too_short(job: SearchJob, estimate: float | None) -> UserError:
    needs = f"; one takes about {duration(estimate)}" if estimate else ""
    return UserError(
        f"search.time_budget: {job.config.search.time_budget} is too short for a single trial of "
        f"{job.config.training.epochs} epochs{needs}",
        hint="Give more time, fewer training.epochs, or fewer examples (data.train_limit).",
    )
