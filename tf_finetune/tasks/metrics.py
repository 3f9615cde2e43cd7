"""Scores of a model's outputs, in the field's usual definitions.

Every score is computed in float64 from the logits. Three conventions apply where a
formula divides by zero, so that each score is a number that can be compared:

- a class that occurs neither in the targets nor in the predictions is left out of the
  macro F1, and F1 is 0 when that leaves no class;
- MCC is 0 when all targets or all predictions are one class (Gorodkin 2004);
- a correlation with a constant is 0: such predictions tell nothing about the targets.

A model that returns NaN or infinity has no score: all of its scores are NaN.

scikit-learn and scipy.stats take a second to import, and are where they are needed: probabilities
need neither.
"""

from collections.abc import Callable
from typing import Any, get_args

import numpy as np
from scipy import special

from tf_finetune.config.sections import TrainingConfig
from tf_finetune.errors import UserError
from tf_finetune.tasks.labels import LabelSpace

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


def score(labels: LabelSpace, targets: np.ndarray, logits: np.ndarray) -> dict[str, float]:
    """Scores a model's outputs.

    Args:
        labels: What the labels are, C classes.
        targets: Encoded labels: int32 [n], float32 [n, C] of 0 and 1, or float32 [n].
        logits: float [n, C]; [n, 1] or [n] in a regression.

    Returns:
        The scores in the order of `METRICS`. `loss` is the plain mean cross-entropy, binary
        cross-entropy or squared error, without class weights or label smoothing.

    Raises:
        ValueError: There are no examples, or not one output for each target.
    """
    if not len(targets) or len(targets) != len(logits):
        raise ValueError(f"{len(targets)} targets and {len(logits)} outputs cannot be scored")
    if not np.isfinite(logits).all():
        return dict.fromkeys(METRICS[labels.task], float("nan"))
    prediction = predicted(labels, logits)
    loss = per_example_loss(labels, targets, logits).mean()
    if labels.task == "regression":
        from scipy import stats

        targets = np.asarray(targets, np.float64)
        values = {
            "pearson": _correlation(stats.pearsonr, targets, prediction),
            "spearman": _correlation(stats.spearmanr, targets, prediction),
            "mse": np.square(prediction - targets).mean(),
            "mae": np.abs(prediction - targets).mean(),
            "loss": loss,
        }
    else:
        from sklearn import metrics as sklearn_metrics

        values = {
            "accuracy": sklearn_metrics.accuracy_score(targets, prediction),
            "macro_f1": _f1(labels, targets, prediction, average="macro"),
            "micro_f1": _f1(labels, targets, prediction, average="micro"),
            "loss": loss,
        }
        if labels.task == "single_label":
            values["mcc"] = _matthews(targets, prediction)
    return {name: float(values[name]) for name in METRICS[labels.task]}


def per_example_loss(labels: LabelSpace, targets: np.ndarray, logits: np.ndarray) -> np.ndarray:
    """The loss of each example, float64 [n]; over several labels it is their mean."""
    if labels.task == "regression":
        return np.square(predicted(labels, logits) - np.asarray(targets, np.float64))
    logits = np.asarray(logits, np.float64)
    if labels.task == "single_label":
        return -special.log_softmax(logits, axis=-1)[np.arange(len(targets)), targets]
    return (np.logaddexp(0.0, logits) - logits * targets).mean(axis=-1)


def per_example_score(labels: LabelSpace, targets: np.ndarray, logits: np.ndarray) -> np.ndarray:
    """How well each example was predicted, for paired comparisons of two models.

    Args:
        labels: What the labels are, C classes.
        targets: Encoded labels, as in `score`.
        logits: Outputs, as in `score`.

    Returns:
        float64 [n], higher is better: 1 or 0 for a right or wrong class; the F1 between the
        predicted and the true set of labels, 1 when both are empty; or minus the squared
        error.
    """
    prediction = predicted(labels, logits)
    if labels.task == "single_label":
        return (prediction == targets).astype(np.float64)
    if labels.task == "regression":
        return -np.square(prediction - np.asarray(targets, np.float64))
    shared = (prediction * targets).sum(axis=-1, dtype=np.float64)
    sizes = prediction.sum(axis=-1, dtype=np.float64) + targets.sum(axis=-1, dtype=np.float64)
    return np.divide(2 * shared, sizes, out=np.ones_like(shared), where=sizes > 0)


def class_scores(
    labels: LabelSpace, targets: np.ndarray, prediction: np.ndarray, average: str | None = None
) -> tuple[Any, ...]:
    """Precision, recall, F1 and support by scikit-learn, [C] each or averaged.

    Args:
        labels: A single-label or multi-label space of C classes.
        targets: Encoded labels, as in `score`.
        prediction: The predictions of `predicted`.
        average: None for each class, "macro" or "micro".

    Returns:
        The four; NaN where a class or a whole average is undefined.
    """
    from sklearn import metrics as sklearn_metrics

    if labels.task == "multi_label":
        # A spare column keeps scikit-learn from reading [n, 1] as two classes.
        targets, prediction = (np.pad(sets, ((0, 0), (0, 1))) for sets in (targets, prediction))
    return sklearn_metrics.precision_recall_fscore_support(
        targets,
        prediction,
        labels=range(labels.num_outputs),
        average=average,
        zero_division=np.nan,  # also leaves a class that never occurs out of a macro average
    )


def is_constant(values: np.ndarray) -> bool:
    """Whether numbers differ by rounding alone."""
    return bool(np.ptp(values) <= 1e-12 * np.abs(values).max())


def _f1(labels: LabelSpace, targets: np.ndarray, prediction: np.ndarray, average: str) -> float:
    value = class_scores(labels, targets, prediction, average)[2]
    return 0.0 if np.isnan(value) else value


def _matthews(targets: np.ndarray, prediction: np.ndarray) -> float:
    if np.ptp(targets) == 0 or np.ptp(prediction) == 0:
        return 0.0  # scikit-learn's value too, without its warning
    from sklearn import metrics as sklearn_metrics

    return sklearn_metrics.matthews_corrcoef(targets, prediction)


def _correlation(
    statistic: Callable[..., Any], targets: np.ndarray, prediction: np.ndarray
) -> float:
    if is_constant(targets) or is_constant(prediction):
        return 0.0
    return statistic(targets, prediction).statistic
