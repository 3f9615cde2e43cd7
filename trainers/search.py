"""Finds out how deep to fine-tune: data -> space -> trials -> answer -> the chosen model.

Example:
    python -m trainers.search --config configs/docstrings_search.yaml
"""

import time
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.errors import UserError, visible
from trainers.arguments import load_arguments, parse_arguments
from trainers.cli import run_command
from trainers.going_on import says_how_to_go_on


def main(argv: Sequence[str]) -> int:
    """Searches, answers, and trains what it recommends; returns the exit code."""
    started = time.time()
    config = load_arguments(parse_arguments("search", argv))
    if config.training.strategy == "multi_worker":
        raise UserError(
            "training.strategy: received multi_worker for a search, whose processes run trials of "
            "their own; accepted: auto, cpu, gpu, mirrored, tpu, which each of them applies to the "
            "devices it sees",
            hint="Several processes: search.workers, or docs/search.md for several machines.",
        )

    from tf_finetune.searches.leading.roles import is_worker
    from tf_finetune.searches.running.directory import check_search_folder, search_path
    from tf_finetune.storage.locking import exclusive_use

    if is_worker():
        return _work(config)
    path = search_path(config)
    check_search_folder(path, overwrite=config.run.overwrite)
    console = Console()
    with exclusive_use(path), says_how_to_go_on("search", path / "config.yaml", console):
        _search(config, console, started)
    return 0


def _search(config: ExperimentConfig, console: Console, started: float) -> None:
    job, tokenizer = load_job(config, console)

    from tf_finetune.searches.leading.job import describe_search
    from tf_finetune.searches.session import comparable, recommended, run_trials, session_notes

    for line in describe_search(job):
        console.print(Text(visible(line)), soft_wrap=True)
    found = run_trials(job, console, started)

    from tf_finetune.machine import interruption
    from tf_finetune.searches.answer.chance import chance_notes
    from tf_finetune.searches.answer.more_examples import fold_notes
    from tf_finetune.searches.answer.tables import render_recommendation

    if found.interrupted is not None:
        interruption.forget()  # the next Ctrl-C ends at once
        line = "interrupted; the best so far is trained and reported (Ctrl-C once more: it is not)"
        console.print(line, style="yellow", highlight=False, soft_wrap=True)
    records = comparable(job, found.records)
    results = [record.result for record in records]
    recommendation = recommended(job, results, found.race)
    sure = config.search.confidence
    notes = [
        *chance_notes(job.splits, recommendation),
        *fold_notes(job.config.data, job.splits, recommendation, results, sure),
        *session_notes(job, found),
    ]
    render_recommendation(console, recommendation, notes)

    from tf_finetune.runs.model_folder import write_model_folder
    from tf_finetune.searches.final_training import train_chosen

    final = train_chosen(job, recommendation.recommended.cell, records, console, found.runner)
    write_model_folder(
        job.directory.model,
        final.classifier,
        tokenizer,
        final.splits.labels,
        max_length=job.config.data.max_length,
    )

    from tf_finetune.searches.ensemble import keep_ensemble

    ensemble, ensemble_notes = keep_ensemble(job, final, records, tokenizer, console)

    from tf_finetune.searches.answer.outcome import SearchOutcome
    from tf_finetune.searches.answer.reporting import write_search_report

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
        interrupted=found.interrupted is not None,
    )
    write_search_report(job, outcome, console)
    for line in (recommendation.sentence, *ensemble_notes):
        console.print(Text(visible(line)), soft_wrap=True)
    if found.interrupted is not None:
        raise found.interrupted


def load_job(
    config: ExperimentConfig, console: Console, *, beside_another: bool = False
) -> tuple[Any, Any]:
    """Loads encoder and data and holds the options against them, before anything is written.

    Args:
        config: What is searched.
        console: Where reading is told.
        beside_another: Of a process that only reads what another one keeps in the folder.

    Returns:
        The `SearchJob`, and the tokenizer.

    Raises:
        UserError: Something is not as it should be.
    """
    from tf_finetune.data.folds import scored_split
    from tf_finetune.data.loading import load_splits
    from tf_finetune.encoders.locating import configured_encoder, fitted_inputs
    from tf_finetune.encoders.tokenizers import load_tokenizer
    from tf_finetune.models.weights import pretrained
    from tf_finetune.plans.rates import number_of_steps
    from tf_finetune.reports.preflight_file import read_preflight
    from tf_finetune.searches.leading.places import with_one_method
    from tf_finetune.searches.leading.space import build_space
    from tf_finetune.searches.running.directory import SearchDirectory, prepare_search, search_path
    from tf_finetune.searches.running.identity import search_identity
    from tf_finetune.searches.running.records import TrialJournal
    from tf_finetune.sources.opening import check_sources

    config = with_one_method(config)
    files = configured_encoder(config.encoder)
    build_space(config, files)  # what contradicts itself is told before the data are read
    preflight = None
    if config.search.preflight is not None:
        preflight = read_preflight(config.search.preflight, files.name)
    config = config.model_copy(update={"data": fitted_inputs(files, config.data)})
    check_sources(config.data)
    tokenizer = load_tokenizer(files)
    splits, data = load_splits(config.data, tokenizer, console=console)
    if scored_split(splits) is None:
        raise UserError(
            "data.validation: a search compares cells on validation examples; accepted: a file, "
            "or null with a data.validation_fraction over 0, or with data.folds"
        )
    pretrained(files, splits.labels, splits.train.labels)
    encoder = config.encoder.model_copy(update=files.options())
    config = config.model_copy(update={"data": data, "encoder": encoder})

    from tf_finetune.runs.threshold import with_threshold
    from tf_finetune.searches.leading.job import SearchJob
    from tf_finetune.searches.leading.precision import resolve_for_search
    from tf_finetune.training.fine_tuning import check_options

    check_options(config.training, splits, config.evaluation)
    splits = with_threshold(splits, config.evaluation.threshold)
    directory = SearchDirectory(search_path(config))
    space = build_space(config, files, number_of_steps(config, len(splits.train)))
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
    return SearchJob(config, files, splits, space, directory, journal, preflight), tokenizer


def _work(config: ExperimentConfig) -> int:
    """A worker process of KerasTuner's: runs what the chief hands out."""
    job, _ = load_job(config, Console(quiet=True), beside_another=True)

    from tf_finetune.searches.session import run_worker

    run_worker(job)
    return 0


if __name__ == "__main__":
    raise SystemExit(run_command(main))
