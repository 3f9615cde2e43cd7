"""Fine-tunes an encoder at a chosen depth: config -> data -> plan -> model -> fit -> report."""

import time
from collections.abc import Callable
from contextlib import ExitStack

from rich.console import Console

from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.jobs.training_inputs import load_training_inputs
from tf_finetune.storage.run_directory import RunDirectory


def train(
    config: ExperimentConfig,
    console: Console,
    started: float | None = None,
    *,
    on_begin: Callable[[RunDirectory], None] = lambda run: None,
) -> RunDirectory:
    """Trains, scores and saves one model.

    What is wrong with the configuration, the encoder or the data is told before TensorFlow is
    imported, and before anything is written.

    Args:
        config: What to train on what.
        console: Where the plan, progress and scores are shown.
        started: `time.time()` when the command began, from which the first step is timed; None:
            now.
        on_begin: Is told the folder of the run as soon as what is there can be gone on with. Of
            several processes that train together, only the one that writes is.

    Returns:
        The folder, in which everything has been written. Of several processes that train together,
        each gets it, and one has written.

    Raises:
        UserError: Something that was given is wrong; all that was found, together.
        Interrupted: The run was asked to stop; the folder holds what goes on from there.
    """
    started = time.time() if started is None else started
    with ExitStack() as claims:
        inputs = load_training_inputs(config, claims, console)

        from tf_finetune.jobs.training_run import run_training

        return run_training(inputs, claims, console, started, on_begin)
