"""Finds out how deep to fine-tune: data -> space -> trials -> answer -> the chosen model."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from rich.console import Console

from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.errors import UserError
from tf_finetune.searches.running.directory import (
    SearchDirectory,
    check_search_folder,
    search_path,
)
from tf_finetune.storage.locking import exclusive_use
from tf_finetune.storage.run_directory import RunDirectory

if TYPE_CHECKING:
    from tf_finetune.searches.answer.outcome import SearchOutcome
    from tf_finetune.searches.leading.job import SearchJob


def search(
    config: ExperimentConfig,
    console: Console,
    started: float | None = None,
    *,
    on_begin: Callable[[RunDirectory], None] = lambda run: None,
) -> "SearchOutcome":
    """Searches, answers, and trains what it recommends.

    What is wrong with the configuration, the encoder or the data is told before TensorFlow is
    imported, and before anything is written.

    Args:
        config: What to search on what.
        console: Where trials and answers are shown.
        started: `time.time()` when the command began, from which the first answer is timed; None:
            now.
        on_begin: Is told the folder of the search as soon as no other process may use it.

    Returns:
        What was found, all of which has been written. Where Ctrl-C came before the last trial, and
        one had been trained for all epochs, it says so: what there is was answered from, trained
        and written all the same.

    Raises:
        UserError: Something that was given is wrong; all that was found, together.
        Interrupted: SIGTERM, or Ctrl-C before there was anything to answer from, or while the
            answer was trained; the folder holds what goes on from there.
    """
    started = time.time() if started is None else started
    _check_processes(config)
    path = search_path(config)
    check_search_folder(path, overwrite=config.run.overwrite)
    with exclusive_use(path):
        on_begin(SearchDirectory(path))

        from tf_finetune.jobs.search_inputs import load_search_inputs

        inputs = load_search_inputs(config, console)

        from tf_finetune.jobs.search_run import run_search

        return run_search(inputs, console, started)


def work(config: ExperimentConfig) -> None:
    """Runs the trials that the chief of a parallel search hands out, in a worker of KerasTuner's.

    Raises:
        UserError: Something that was given is wrong.
    """
    _check_processes(config)
    job = load_job_beside(config)

    from tf_finetune.searches.session import run_worker

    run_worker(job)


def load_job_beside(config: ExperimentConfig) -> "SearchJob":
    """Loads a search that another process keeps in the folder, only to read what is there.

    Raises:
        UserError: Something that was given is wrong.
    """
    from tf_finetune.jobs.search_inputs import load_search_inputs

    console = Console(quiet=True)
    inputs = load_search_inputs(config, console)

    from tf_finetune.jobs.search_run import build_job

    return build_job(inputs, console, beside_another=True)


def _check_processes(config: ExperimentConfig) -> None:
    """Refuses several processes that would run one trial together.

    Raises:
        UserError: With what else there is.
    """
    if config.training.strategy == "multi_worker":
        raise UserError(
            "training.strategy: received multi_worker for a search, whose processes run trials of "
            "their own; accepted: auto, cpu, gpu, mirrored, tpu, which each of them applies to the "
            "devices it sees",
            hint="Several processes: search.workers, or docs/search.md for several machines.",
        )
