"""Opens a finished run for a command, before anything is imported that takes seconds."""

import argparse
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tf_finetune.config.sections import ExperimentConfig
from tf_finetune.run_directory import RunDirectory, open_run
from trainers.arguments import load_arguments

if TYPE_CHECKING:
    from tf_finetune.data import LabelSpace
    from tf_finetune.encoders import EncoderFiles


@dataclass(frozen=True)
class TrainedRun:
    """A run's model on disk.

    Attributes:
        run: The run directory.
        config: The run's configuration with the options of the command line.
        files: The model folder, every file of it held against its checksum.
        labels: What the model's outputs mean, decided at the threshold of these options.
    """

    run: RunDirectory
    config: ExperimentConfig
    files: "EncoderFiles"
    labels: "LabelSpace"


def open_trained_run(arguments: argparse.Namespace) -> TrainedRun:
    """Opens the run that the argument RUN names.

    Raises:
        UserError: There is none, it has not finished or is damaged, or an option is wrong.
    """
    run, saved = open_run(arguments.run)
    config = load_arguments(arguments, base=saved.model_dump(mode="json"))

    from tf_finetune.export import check_model_folder, read_labels

    files = check_model_folder(run.model)
    labels = read_labels(files.config, str(files.path / "config.json"))
    return TrainedRun(run, config, files, labels.decided_at(config.evaluation.threshold))


def check_examples(config: ExperimentConfig, file: str | None) -> None:
    """Refuses labelled examples that are not there: a file's, or those of the run.

    Raises:
        UserError: A source cannot be opened.
    """
    from tf_finetune.data import check_sources

    data = config.data
    if file is not None:
        data = data.model_copy(update={"train": None, "validation": None, "test": file})
    check_sources(data)
