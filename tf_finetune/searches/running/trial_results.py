"""What a trial comes to, from its answers to the examples that it is scored on."""

import math
from dataclasses import dataclass

from tf_finetune.data.splits import Split
from tf_finetune.models.spec import Spec
from tf_finetune.options.training import TrainingConfig
from tf_finetune.results.trial import Predictions, TrialResult
from tf_finetune.searches.running.trial_request import TrialRequest
from tf_finetune.tasks.labels import LabelSpace


@dataclass(frozen=True)
class Measured:
    """What was measured while a trial ran; the names are those of `TrialResult`."""

    seconds_per_epoch: float
    examples_per_second: float
    train_seconds: float
    peak_memory_bytes: int | None
    epochs: int
    micro_batches: int = 1
    given_up: bool = False


def failed_result(request: TrialRequest, reason: str) -> TrialResult:
    """That of a trial without a score."""
    return TrialResult(request.cell, request.seed, "failed", reason=reason)


def result_of(
    request: TrialRequest,
    config: TrainingConfig,
    spec: Spec,
    train: Split,
    labels: LabelSpace,
    predictions: Predictions,
    measured: Measured,
    scored: str,
) -> TrialResult:
    """Scores a trial and prices its step and its answers; without a finite score it failed.

    Args:
        request: What was asked for.
        config: The trial's own section `training`; a model serves trials of several.
        spec: Its model.
        train: What was trained on.
        labels: What the labels mean.
        predictions: The answers.
        measured: What they took.
        scored: Name of the split that was answered, for messages.
    """
    metrics = labels.score(*predictions)
    metric, _ = labels.monitor(config.monitor)
    if not math.isfinite(metrics[metric]):
        return failed_result(request, f"the {scored} {metric} is {metrics[metric]}")
    cost = spec.cost(config.batch_size, train.mean_length)
    return TrialResult(
        request.cell,
        request.seed,
        "completed",
        score=metrics[metric],
        metrics=metrics,
        trainable_parameters=cost.trainable,
        step_flops=float(cost.step_flops),
        answer_flops=float(spec.cost(1, train.mean_length).forward_flops),
        **vars(measured),
    )
