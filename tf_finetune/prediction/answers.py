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
    if not labels.names:
        raise UserError(f"--top-k: received {value}, but this model predicts a number")
    if not labels.lists_probabilities:
        raise UserError(
            f"--top-k: received {value}, but this model answers with {labels.answer_kind}, each "
            "with its own probability"
        )
    if not value.isdecimal() or not 1 <= int(value) <= labels.num_outputs:
        raise UserError(
            f"--top-k: received {value!r}; accepted: 1 to {labels.num_outputs}, as it has labels"
        )
    return int(value)
