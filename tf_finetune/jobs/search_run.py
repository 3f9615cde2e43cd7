"""A search from its folder to its report."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from tf_finetune.errors import visible
from tf_finetune.jobs.search_inputs import SearchInputs
from tf_finetune.machine import interruption
from tf_finetune.plans.rates import steps_of_one_reading
from tf_finetune.results.recommendation import Recommendation
from tf_finetune.runs.model_folder import write_model_folder
from tf_finetune.runs.threshold import with_threshold
from tf_finetune.searches.answer.chance import chance_notes
from tf_finetune.searches.answer.more_examples import fold_notes
from tf_finetune.searches.answer.outcome import SearchOutcome
from tf_finetune.searches.answer.reporting import write_search_report
from tf_finetune.searches.answer.tables import render_recommendation
from tf_finetune.searches.ensemble import keep_ensemble
from tf_finetune.searches.final_training import FinalModel, runner_alone, train_chosen
from tf_finetune.searches.leading.job import SearchJob, describe_search
from tf_finetune.searches.leading.places import methods_of
from tf_finetune.searches.leading.precision import resolve_for_search
from tf_finetune.searches.leading.space import build_space
from tf_finetune.searches.learning_curve.measuring import measure_curve
from tf_finetune.searches.running.directory import SearchDirectory, prepare_search, search_path
from tf_finetune.searches.running.identity import search_identity
from tf_finetune.searches.running.records import TrialJournal, TrialRecord
from tf_finetune.searches.session import (
    SearchedTrials,
    comparable,
    recommended,
    run_trials,
    session_notes,
)
from tf_finetune.training.option_checks import check_options

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast


def run_search(inputs: SearchInputs, console: Console, started: float) -> SearchOutcome:
    """Searches what was loaded and writes what came of it; see `search`."""
    job = build_job(inputs, console)
    _tell(console, describe_search(job))
    found = run_trials(job, console, started)
    if found.interrupted is not None:
        interruption.forget()  # the next Ctrl-C ends at once
        line = "interrupted; the best so far is trained and reported (Ctrl-C once more: it is not)"
        console.print(line, style="yellow", highlight=False, soft_wrap=True)
    records = comparable(job, found.records)
    recommendation, notes = _recommend(job, found, records)
    render_recommendation(console, recommendation, notes)
    curve = None
    if job.config.search.learning_curve and found.interrupted is None:
        runner = found.runner or runner_alone(job, console)
        curve = measure_curve(job, recommendation, records, runner, console)
        _tell(console, curve.sentences)
    final = _train_chosen(job, recommendation, found, records, inputs.tokenizer, console)
    ensemble, ensemble_notes = keep_ensemble(job, final, records, inputs.tokenizer, console)
    outcome = SearchOutcome(
        path=job.directory.path,
        config=job.config,
        chosen_config=final.config,
        chosen=final.request,
        encoder=job.files.name,
        labels=final.splits.labels,
        summary=job.splits.summary,
        metric=job.metric,
        records=found.records,
        not_run=found.not_run,
        recommendation=recommendation,
        notes=(*notes, *ensemble_notes),
        plan=final.plan,
        run=final.run,
        reports=final.reports,
        search_seconds=sum(record.wall_seconds for record in found.records),
        ensemble=ensemble,
        learning_curve=curve,
        interrupted=found.interrupted is not None,
    )
    write_search_report(job, outcome, console)
    _tell(console, (recommendation.sentence, *ensemble_notes))
    return outcome


def build_job(inputs: SearchInputs, console: Console, *, beside_another: bool = False) -> SearchJob:
    """Holds the options against the data, and prepares the folder if nothing is wrong.

    Args:
        inputs: What is searched.
        console: Where the precision is told.
        beside_another: Of a process that only reads what another one keeps in the folder.

    Raises:
        UserError: Something is not as it should be.
    """
    config, files, splits = inputs.config, inputs.files, inputs.splits
    check_options(config.training, splits, config.evaluation, methods_of(config))
    splits = with_threshold(splits, config.evaluation.threshold)
    directory = SearchDirectory(search_path(config))
    space = build_space(config, files, steps_of_one_reading(config, len(splits.train)))
    config, precision_lines, made = resolve_for_search(
        config, files, splits, space, directory, beside_another=beside_another
    )
    for line in precision_lines:
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    identity = search_identity(config, files, splits)
    if beside_another:
        journal = TrialJournal(directory.journal, directory.trials, identity)
    else:
        directory, config, journal = prepare_search(directory.path, config, identity)
        if made is not None:
            directory.write_json(directory.precision, made.to_dict())
    return SearchJob(config, files, splits, space, directory, journal, inputs.preflight)


def _recommend(
    job: SearchJob, found: SearchedTrials, records: Sequence[TrialRecord]
) -> tuple[Recommendation, list[str]]:
    """What the trials that can be compared come to, and sentences about it and the search."""
    results = [record.result for record in records]
    recommendation = recommended(job, results, found.race)
    sure = job.config.search.confidence
    return recommendation, [
        *chance_notes(job.splits, recommendation),
        *fold_notes(job.config.data, job.splits, recommendation, results, sure),
        *session_notes(job, found),
    ]


def _train_chosen(
    job: SearchJob,
    recommendation: Recommendation,
    found: SearchedTrials,
    records: list[TrialRecord],
    tokenizer: "PreTrainedTokenizerFast",
    console: Console,
) -> FinalModel:
    """Trains the model to hand over, and writes it."""
    final = train_chosen(job, recommendation.recommended.cell, records, console, found.runner)
    write_model_folder(
        job.directory.model,
        final.classifier,
        tokenizer,
        final.splits.labels,
        max_length=job.config.data.max_length,
    )
    return final


def _tell(console: Console, lines: Sequence[str]) -> None:
    for line in lines:
        console.print(Text(visible(line)), soft_wrap=True)
