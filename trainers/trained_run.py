"""Opens a finished run for a command, with the options of its command line."""

import argparse
import sys
from typing import TYPE_CHECKING

from tf_finetune.config.experiment import ExperimentConfig
from trainers.arguments import load_arguments

if TYPE_CHECKING:
    from tf_finetune.runs.opening import OpenedRun


def open_trained_run(arguments: argparse.Namespace, *, alone: str | None = None) -> "OpenedRun":
    """Opens the run that the argument RUN names.

    Args:
        arguments: Of the command line.
        alone: Why the command uses the single model where there is an ensemble, which is then
            said; None: the command uses what answers.

    Raises:
        UserError: There is none, it has not finished or is damaged, or an option is wrong.
    """
    from tf_finetune.runs.opening import has_ensemble, open_model

    opened = open_model(
        arguments.run, lambda saved: with_options(arguments, saved), single=alone is not None
    )
    if alone is not None and has_ensemble(opened.run):
        print(f"note: {opened.run.path} holds an ensemble, too; {alone}", file=sys.stderr)
    return opened


def with_options(arguments: argparse.Namespace, saved: ExperimentConfig) -> ExperimentConfig:
    """The configuration of a run, with the options of the command line."""
    return load_arguments(arguments, base=saved.model_dump(mode="json"))
