"""One training as `trainers/train.py` does it, with nothing written and every part timed."""

import time
from typing import NamedTuple

from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.data.loading import Splits
from tf_finetune.encoders.locating import EncoderFiles
from tf_finetune.models.spec import spec_of
from tf_finetune.models.weights import pretrained
from tf_finetune.prefix.of_a_run import cached_states
from tf_finetune.training.compiling import build_fine_tuner
from tf_finetune.training.fine_tuning import RunResult, fine_tune
from tf_finetune.training.strategy import build_strategy


class Training(NamedTuple):
    """What came of it.

    Attributes:
        result: Of the epochs.
        trainable_parameters: Of the model.
        cached: Whether states of frozen layers were kept and read.
        fill_seconds: What deciding on them and computing them took.
        seconds: All of it, from the compiled model on.
    """

    result: RunResult
    trainable_parameters: int
    cached: bool
    fill_seconds: float
    seconds: float


def train_once(config: ExperimentConfig, files: EncoderFiles, splits: Splits) -> Training:
    """Builds the model on the CPU, keeps states where that pays, and trains.

    Args:
        config: What to train; its data are `splits`.
        files: The encoder.
        splits: With training and validation examples.
    """
    chosen = build_strategy("cpu")
    spec = spec_of(config, files, splits.labels)
    start = pretrained(files, splits.labels, splits.train.labels)
    model = build_fine_tuner(spec, start, chosen)
    began = time.perf_counter()
    states = cached_states(model, splits, config, chosen)
    filled = time.perf_counter()
    result = fine_tune(
        model,
        splits,
        config.training,
        config.evaluation,
        max_length=config.data.max_length,
        chosen=chosen,
        states=states,
    )
    ended = time.perf_counter()
    return Training(result, spec.plan.trainable_count, bool(states), filled - began, ended - began)
