"""Where the threshold of a model with several labels comes from: the option, or validation."""

from dataclasses import replace
from typing import Literal

import numpy as np

from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.data.folds import scored_split
from tf_finetune.data.loading import Splits
from tf_finetune.evaluation.threshold import choose_threshold
from tf_finetune.runs.scoring import split_logits
from tf_finetune.training.run_result import RunResult
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
    result: RunResult,
    splits: Splits,
    config: ExperimentConfig,
    chosen: ChosenStrategy,
    out_of_fold: np.ndarray | None = None,
) -> tuple[RunResult, Splits]:
    """Chooses the threshold of a trained model, where the option says "auto".

    Args:
        result: The training of the model.
        splits: The data.
        config: The configuration.
        chosen: The strategy.
        out_of_fold: With folds, the answers that decide, see `TrainedRounds.logits`.

    Returns:
        The result with the validation logits that decided, and the splits with the threshold.
    """
    scored = scored_split(splits)
    if config.evaluation.threshold != "auto" or scored is None:
        return result, splits
    logits = result.validation_logits if splits.folds is None else out_of_fold
    if logits is None:
        logits = split_logits(result.model, scored, config, chosen)
    if splits.folds is None:
        result = replace(result, validation_logits=logits)
    return result, with_threshold(splits, choose_threshold(splits.labels, scored.labels, logits))
