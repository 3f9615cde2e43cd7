"""Where the temperature of a model comes from: validation; it is kept in the model's head."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.data.folds import OUT_OF_FOLD, scored_split
from tf_finetune.data.loading import Splits
from tf_finetune.evaluation.temperature import FoundTemperature, fit_temperature
from tf_finetune.runs.scoring import split_logits
from tf_finetune.training.run_result import RunResult
from tf_finetune.training.strategy import ChosenStrategy


class Calibrated(NamedTuple):
    """A trained model with its temperature.

    Attributes:
        result: Its training; the model's logits and those of validation are divided.
        splits: The data, the temperature with the labels.
        out_of_fold: With folds, the divided answers of their models.
        lines: What to say of it.
    """

    result: RunResult
    splits: Splits
    out_of_fold: np.ndarray | None
    lines: tuple[str, ...] = ()


def calibrated(
    result: RunResult,
    splits: Splits,
    config: ExperimentConfig,
    chosen: ChosenStrategy,
    out_of_fold: np.ndarray | None = None,
) -> Calibrated:
    """Finds the temperature of a trained model where the option wants one, and applies it.

    It comes before the threshold, which is one of the probabilities that are answered.

    Args:
        result: The training of the model, which is changed.
        splits: The data.
        config: The configuration.
        chosen: The strategy.
        out_of_fold: With folds, the answers that decide, see `TrainedRounds.logits`.
    """
    scored = scored_split(splits)
    if not config.evaluation.calibrate or scored is None:
        return Calibrated(result, splits, out_of_fold)
    logits, on = out_of_fold, OUT_OF_FOLD
    if splits.folds is None:
        logits, on = result.validation_logits, "validation"
    if logits is None:
        logits = split_logits(result.model, scored, config, chosen)
    if splits.folds is None:
        result = replace(result, validation_logits=logits)
    found = fit_temperature(splits.labels, scored.labels, logits, on)
    return with_temperature(found, result, splits, out_of_fold)


def with_temperature(
    found: FoundTemperature,
    result: RunResult,
    splits: Splits,
    out_of_fold: np.ndarray | None = None,
) -> Calibrated:
    """Divides a model's logits, and those that it has given, by a temperature."""
    if found.value == 1:
        return Calibrated(result, splits, out_of_fold, (found.sentence,))
    result.model.classifier.divide_logits(found.value)
    kept = result.validation_logits
    return Calibrated(
        replace(result, validation_logits=None if kept is None else divided(kept, found.value)),
        replace(splits, labels=splits.labels.calibrated_at(found.value)),
        None if out_of_fold is None else divided(out_of_fold, found.value),
        (found.sentence,),
    )


def divided(logits: np.ndarray, temperature: float) -> np.ndarray:
    """Logits divided by a temperature, float32."""
    return (logits / np.float32(temperature)).astype(np.float32)
