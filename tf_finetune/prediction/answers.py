"""A model's outputs in the words of its labels."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from tf_finetune.errors import UserError
from tf_finetune.runs.outputs import check_finite
from tf_finetune.tasks.labels import LabelSpace


def answers(
    labels: LabelSpace, logits: np.ndarray, top_k: int | None = None
) -> Iterator[dict[str, Any]]:
    """What to say of each text: a label with probabilities, labels, or a number.

    Args:
        labels: What the outputs mean, C of them.
        logits: float32 [n, C].
        top_k: Give only the probabilities of this many labels, likeliest first; None gives
            all in the order of the labels.

    Yields:
        `label` (single label) or `labels` (several) with `probabilities` by name, or `value`.

    Raises:
        UserError: An output is NaN or infinite, so the model is not one to use.
    """
    check_finite(logits)
    yield from labels.answers(logits, top_k)


def check_top_k(value: str | None, labels: LabelSpace) -> int | None:
    """Reads the flag --top-k.

    Raises:
        UserError: It is no number of labels that the model has.
    """
    if value is None:
        return None
    try:
        most = labels.most_listed()
    except UserError as error:
        raise UserError(f"--top-k: received {value}, but {error.problems[0]}") from None
    if not value.isdecimal() or int(value) < 1 or (most is not None and int(value) > most):
        accepted = "1 or more" if most is None else f"1 to {most}, as it has labels"
        raise UserError(f"--top-k: received {value!r}; accepted: {accepted}")
    return int(value)
