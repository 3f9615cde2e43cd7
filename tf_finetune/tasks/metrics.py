"""Scores of a model's outputs, in the field's usual definitions: which there are, of which task.

A model that returns NaN or infinity has no score: all of its scores are NaN.
"""

from typing import get_args

import numpy as np
from scipy import sparse, special

from tf_finetune.errors import UserError
from tf_finetune.options.training import TrainingConfig
from tf_finetune.tasks.class_scores import ClassScored, OneClassScored
from tf_finetune.tasks.labels import LabelSpace
from tf_finetune.tasks.scored import Scored
from tf_finetune.tasks.value_scores import ValueScored

# The order is the order of every report.
METRICS = {
    "single_label": ("accuracy", "macro_f1", "micro_f1", "mcc", "loss"),
    "multi_label": ("micro_f1", "macro_f1", "accuracy", "loss"),
    "regression": ("pearson", "spearman", "mse", "mae", "loss"),
}
HEADLINE = {"single_label": "accuracy", "multi_label": "micro_f1", "regression": "spearman"}
LOWER_IS_BETTER = frozenset({"mse", "mae", "loss"})
RANGES = {
    **dict.fromkeys(("accuracy", "macro_f1", "micro_f1"), (0.0, 1.0)),
    **dict.fromkeys(("mcc", "pearson", "spearman"), (-1.0, 1.0)),
    **dict.fromkeys(("mse", "mae", "loss"), (0.0, np.inf)),
}
MONITORS: tuple[str, ...] = get_args(TrainingConfig.model_fields["monitor"].annotation)


def headline_metric(labels: LabelSpace) -> str:
    """The one score that a summary in a sentence quotes."""
    return HEADLINE[labels.task]


def resolve_monitor(monitor: str, labels: LabelSpace) -> tuple[str, bool]:
    """Finds the score that early stopping and search compare.

    Args:
        monitor: The option `training.monitor`.
        labels: What the labels are.

    Returns:
        The score's name as in `score`, and whether a higher value is better.

    Raises:
        UserError: The task has no such score.
    """
    name = headline_metric(labels) if monitor == "auto" else monitor
    if name not in METRICS[labels.task]:
        accepted = [m for m in MONITORS if m == "auto" or m in METRICS[labels.task]]
        raise UserError(
            f"training.monitor: received {monitor!r}, which a {labels.task} task does not have; "
            f"accepted: {', '.join(accepted)}"
        )
    return name, name not in LOWER_IS_BETTER


def probabilities(labels: LabelSpace, logits: np.ndarray) -> np.ndarray:
    """Turns logits into class probabilities.

    Args:
        labels: A single-label or multi-label space of C classes.
        logits: float [n, C].

    Returns:
        float64 [n, C]; rows sum to 1 for a single label (softmax), and each entry stands
        for itself with several (sigmoid).

    Raises:
        ValueError: The task is regression.
    """
    logits = np.asarray(logits, np.float64)
    if labels.task == "single_label":
        return special.softmax(logits, axis=-1)
    if labels.task == "multi_label":
        return special.expit(logits)
    raise ValueError("a regression model has no probabilities")


def least_logit(labels: LabelSpace) -> float:
    """The logit above which a label applies, where a text has several."""
    return float(special.logit(labels.threshold))


def predicted(labels: LabelSpace, logits: np.ndarray) -> np.ndarray:
    """Turns logits into predictions that look like encoded labels.

    Args:
        labels: What the labels are.
        logits: float [n, C]; [n, 1] or [n] in a regression.

    Returns:
        The likeliest class (int32 [n]), every class above the probability `labels.threshold`
        (float32 [n, C] of 0 and 1), or the predicted number (float64 [n]).
    """
    logits = np.asarray(logits)
    if labels.task == "single_label":
        return logits.argmax(axis=-1).astype(np.int32)
    if labels.task == "multi_label":
        return (logits > least_logit(labels)).astype(np.float32)
    return logits.astype(np.float64).reshape(len(logits))


def scored(labels: LabelSpace, targets: np.ndarray, logits: np.ndarray) -> Scored:
    """What to score of a model's outputs.

    Args:
        labels: What the labels are, C classes.
        targets: Encoded labels: int32 [n], float32 [n, C] of 0 and 1, or float32 [n].
        logits: Finite outputs, float [n, C]; [n, 1] or [n] in a regression.

    Returns:
        Its scores are those of `METRICS`. `loss` is the plain mean cross-entropy, binary
        cross-entropy or squared error, without class weights or label smoothing.

    Raises:
        ValueError: There are no examples, or not one output for each target.
    """
    if not len(targets) or len(targets) != len(logits):
        raise ValueError(f"{len(targets)} targets and {len(logits)} outputs cannot be scored")
    answers = predicted(labels, logits)
    if labels.task == "regression":
        return ValueScored(targets, answers)
    losses = per_example_loss(labels, targets, logits)
    if labels.task == "single_label":
        return OneClassScored(targets, answers, labels.num_outputs, losses)
    right = (answers == targets).all(axis=-1)
    return ClassScored(sparse.csr_array(targets), sparse.csr_array(answers), right, losses)


def score(labels: LabelSpace, targets: np.ndarray, logits: np.ndarray) -> dict[str, float]:
    """The scores of `scored`, in the order of `METRICS`; all NaN if an output is not finite."""
    if not np.isfinite(logits).all():
        return dict.fromkeys(METRICS[labels.task], float("nan"))
    return scored(labels, targets, logits).values()


def per_example_loss(labels: LabelSpace, targets: np.ndarray, logits: np.ndarray) -> np.ndarray:
    """The loss of each example with classes, float64 [n]; over several labels it is their mean."""
    logits = np.asarray(logits, np.float64)
    if labels.task == "single_label":
        return -special.log_softmax(logits, axis=-1)[np.arange(len(targets)), targets]
    return (np.logaddexp(0.0, logits) - logits * targets).mean(axis=-1)
