"""Holds the section `training` against the data, before anything is built or written."""

from collections.abc import Sequence

from tf_finetune.data.batches import packing_problems
from tf_finetune.data.loading import Splits
from tf_finetune.errors import UserError
from tf_finetune.methods.method import Method
from tf_finetune.options.evaluation import EvaluationConfig
from tf_finetune.options.training import TrainingConfig
from tf_finetune.tasks.table import check_calibrates
from tf_finetune.training.objectives import OBJECTIVES


def check_options(
    config: TrainingConfig,
    splits: Splits,
    evaluation: EvaluationConfig | None = None,
    methods: Sequence[Method] = (),
) -> None:
    """Holds the training section against the data, before anything is built or written.

    Args:
        config: The training section.
        splits: The data.
        evaluation: The evaluation section, where a threshold is still to be chosen.
        methods: Those that are going to train.

    Raises:
        UserError: With every option that does not go with the labels or the splits.
    """
    problems: list[str] = []
    for check in (
        lambda: splits.labels.monitor(config.monitor),
        lambda: splits.labels.example_weights(config.class_weights, splits.train.labels),
        lambda: splits.labels.decided_at(0.5 if evaluation is None else evaluation.threshold),
        lambda: _check_calibrates(splits, evaluation),
    ):
        try:
            check()
        except UserError as error:
            problems += error.problems
    watched = splits.validation is not None or splits.folds is not None
    if config.early_stopping_patience is not None and not watched:
        problems.append(
            "training.early_stopping_patience: there is no validation set to watch; accepted: "
            "null, or give data.validation, a data.validation_fraction over 0 or data.folds"
        )
    is_auto = evaluation is not None and evaluation.threshold == "auto"
    if is_auto and splits.labels.threshold is not None and not watched:
        problems.append(
            "evaluation.threshold: received auto, and there is no validation set to choose it on; "
            "accepted: a number such as 0.5, or give data.validation, a data.validation_fraction "
            "over 0 or data.folds"
        )
    calibrates = evaluation is not None and evaluation.calibrate
    if calibrates and not watched:
        problems.append(
            "evaluation.calibrate: received true, and there is no validation set to find a "
            "temperature on; accepted: false, or give data.validation, a "
            "data.validation_fraction over 0 or data.folds"
        )
    if config.label_smoothing and not splits.labels.has_smoothed_targets:
        problems.append(
            f"training.label_smoothing: received {config.label_smoothing:g} for a "
            f"{splits.labels.task} task; accepted: 0"
        )
    problems += packing_problems(config.padding, splits.labels)
    for method in methods:
        problems += objective_problems(method, config, splits)
    if problems:
        raise UserError(problems)


def _check_calibrates(splits: Splits, evaluation: EvaluationConfig | None) -> None:
    if evaluation is not None and evaluation.calibrate:
        check_calibrates(splits.labels.task, "evaluation.calibrate: received true")


def objective_problems(method: Method, config: TrainingConfig, splits: Splits) -> list[str]:
    """What of examples and options does not go with what a method's steps make smaller."""
    objective = OBJECTIVES[method.learns_from]
    problems = list(objective.problems(method.name, splits.labels, splits.train.labels))
    if config.average_weights is not None and (objective.leaves_head or method.averages):
        why = "solves the head anew after each epoch"
        if not objective.leaves_head:
            why = "takes out between steps what an average would bring back"
        problems.append(
            f"training.average_weights: received {config.average_weights:g} with "
            f"method.name={method.name}, which {why}; accepted: null"
        )
    if objective.leaves_head and config.adversarial:
        problems.append(
            f"training.adversarial: received {config.adversarial:g} with "
            f"method.name={method.name}, whose steps compare texts and have no loss of each; "
            "accepted: 0"
        )
    if objective.together > 1 and config.padding == "packed":
        problems.append(
            f"training.padding: received packed with method.name={method.name}, whose steps "
            "compare rows; accepted: auto, longest, buckets, max"
        )
    if objective.leaves_head and config.head_rate_factor != 1:
        problems.append(
            f"training.head_rate_factor: received {config.head_rate_factor:g} with "
            f"method.name={method.name}, which solves the head; accepted: 1"
        )
    return problems
