"""The examples of a run that an export is measured on or learns from."""

from typing import Any

from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.data.loading import load_split, load_splits
from tf_finetune.data.splits import Split
from tf_finetune.errors import UserError
from tf_finetune.tasks.labels import LabelSpace


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
