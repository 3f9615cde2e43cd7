"""Loss weight of each example, from the weights of its classes."""

from collections.abc import Mapping

import numpy as np

from tf_finetune.errors import UserError
from tf_finetune.tasks.labels import LabelSpace


def example_weights(
    option: str | Mapping[str, float], labels: LabelSpace, targets: np.ndarray
) -> np.ndarray:
    """Weight of each training example, float32 [n].

    Args:
        option: `training.class_weights`: "none", "balanced" or weights by class name.
            Balanced is n / (classes * examples of the class), as in King & Zeng 2001 and
            scikit-learn. Classes that a mapping leaves out weigh 1.
        labels: What the labels are.
        targets: Encoded labels of the training examples.

    Raises:
        UserError: The task has no single class an example, or a name is not a class.
    """
    if option == "none":
        return np.ones(len(targets), np.float32)
    if labels.task != "single_label":
        raise UserError(
            f"training.class_weights: received {option!r} for a {labels.task} task; accepted: none"
        )
    classes = len(labels.names)
    if isinstance(option, Mapping):
        unknown = sorted(set(option) - set(labels.names))
        if unknown:
            raise UserError(
                f"training.class_weights: received {', '.join(unknown)}; accepted: classes of "
                f"the training set: {', '.join(labels.names[:20])}"
            )
        by_class = np.array([option.get(name, 1.0) for name in labels.names])
    else:
        counts = np.bincount(targets, minlength=classes)
        by_class = len(targets) / (classes * np.maximum(counts, 1))
    return by_class[targets].astype(np.float32)
