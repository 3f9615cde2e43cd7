"""The trained model as an export needs it: on no strategy, in the precision that is wanted."""

from typing import Any

import tensorflow as tf

from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.data.loading import load_split, load_splits
from tf_finetune.data.splits import Split
from tf_finetune.encoders.locating import EncoderFiles
from tf_finetune.errors import UserError
from tf_finetune.runs.trained_model import TrainedModel, load_trained_model
from tf_finetune.tasks.labels import LabelSpace
from tf_finetune.training.strategy import ChosenStrategy


def without_strategy() -> ChosenStrategy:
    """No distribution strategy: a graph traced under one would be tied to its devices."""
    return ChosenStrategy(tf.distribute.get_strategy(), "not distributed")


def load_in_float32(
    files: EncoderFiles, labels: LabelSpace, config: ExperimentConfig
) -> TrainedModel:
    """Loads a model that computes in float32, whatever it was trained in."""
    training = config.training.model_copy(update={"precision": "float32"})
    config = config.model_copy(update={"training": training})
    return load_trained_model(files, labels, config, without_strategy())


def load_measured_split(
    config: ExperimentConfig, source: str | None, tokenizer: Any, labels: LabelSpace
) -> Split:
    """The examples that an export is measured on: a file, or the run's test or validation split.

    Raises:
        UserError: The run has neither, or the data is wrong or gone.
    """
    if source is not None:
        return load_split(config.data, source, tokenizer, labels)
    splits, _ = load_splits(config.data, tokenizer)
    split = splits.test or splits.validation
    if split is None:
        raise UserError("this run has neither test nor validation split to measure on; give FILE")
    return split


def load_training_split(config: ExperimentConfig, tokenizer: Any) -> Split:
    """The examples that the model was trained on.

    Raises:
        UserError: The data is wrong or gone.
    """
    splits, _ = load_splits(config.data, tokenizer)
    return splits.train
