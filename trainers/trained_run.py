"""Opens a finished run for a command, before anything is imported that takes seconds."""

import argparse
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.runs.directory import open_run
from tf_finetune.storage.run_directory import RunDirectory
from trainers.arguments import load_arguments

if TYPE_CHECKING:
    from tf_finetune.export.checked_model import CheckedModel


@dataclass(frozen=True)
class TrainedRun:
    """A run's model on disk.

    Attributes:
        run: The run directory.
        config: The run's configuration with the options of the command line.
        model: What is used of it.
    """

    run: RunDirectory
    config: ExperimentConfig
    model: "CheckedModel"


def open_trained_run(arguments: argparse.Namespace, *, alone: str | None = None) -> TrainedRun:
    """Opens the run that the argument RUN names.

    Args:
        arguments: Of the command line.
        alone: Why the command uses the single model where there is an ensemble, which is then
            said; None: the command uses what answers.

    Raises:
        UserError: There is none, it has not finished or is damaged, or an option is wrong.
    """
    run, saved = open_run(arguments.run)
    config = load_arguments(arguments, base=saved.model_dump(mode="json"))

    from tf_finetune.export.checked_model import check_answering, check_single, has_ensemble

    if alone is None:
        return TrainedRun(run, config, check_answering(run, config))
    if has_ensemble(run):
        print(f"note: {run.path} holds an ensemble, too; {alone}", file=sys.stderr)
    return TrainedRun(run, config, check_single(run, config))


def check_examples(config: ExperimentConfig, file: str | None) -> None:
    """Refuses labelled examples that are not there: a file's, or those of the run.

    Raises:
        UserError: A source cannot be opened.
    """
    from tf_finetune.sources.opening import check_sources

    data = config.data
    if file is not None:
        data = data.model_copy(update={"train": None, "validation": None, "test": file})
    check_sources(data)
