"""Where the threshold of a model with several labels comes from: the option, or validation."""

from dataclasses import replace
from typing import Literal

from tf_finetune.config.sections import ExperimentConfig
from tf_finetune.data import Splits
from tf_finetune.reports.threshold import choose_threshold
from tf_finetune.training.fine_tuning import RunResult
from tf_finetune.training.scoring import split_logits
from tf_finetune.training.strategy import ChosenStrategy


def with_threshold(splits: Splits, threshold: float | Literal["auto"]) -> Splits:
    """The splits of a job whose option `evaluation.threshold` has this value.

    Scores that early stopping or a search compares are taken at 0.5 where it is "auto": a
    threshold chosen anew for each of them on the examples that score it would flatter all.

    Raises:
        UserError: The task has no threshold.
    """
    return replace(splits, labels=splits.labels.decided_at(threshold))


def chosen_threshold(
    result: RunResult, splits: Splits, config: ExperimentConfig, chosen: ChosenStrategy
) -> tuple[RunResult, Splits]:
    """Chooses the threshold of a trained model, where the option says "auto".

    Returns:
        The result with the validation logits that decided, and the splits with the threshold.
    """
    if config.evaluation.threshold != "auto" or splits.validation is None:
        return result, splits
    logits = result.validation_logits
    if logits is None:
        logits = split_logits(result.model, splits.validation, config, chosen)
    found = choose_threshold(splits.labels, splits.validation.labels, logits)
    return replace(result, validation_logits=logits), with_threshold(splits, found)
