"""A model's outputs in the words of its labels."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from tf_finetune.errors import UserError
from tf_finetune.tasks.labels import LabelSpace
from tf_finetune.tasks.metrics import predicted, probabilities

_DIGITS = 6  # float32 logits carry no more


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
    if not np.isfinite(logits).all():
        raise UserError(
            "the model's outputs are NaN or infinite",
            hint="The training diverged: lower training.learning_rate, or set training.clip_norm.",
        )
    chosen = predicted(labels, logits)
    if labels.task == "regression":
        yield from ({"value": float(value)} for value in chosen)
        return
    chances = probabilities(labels, logits)
    for choice, row in zip(chosen, chances, strict=True):
        # Stable, so that of equal probabilities the first label comes first, as in argmax.
        order = range(len(row)) if top_k is None else np.argsort(-row, kind="stable")[:top_k]
        by_name = {labels.names[i]: round(float(row[i]), _DIGITS) for i in order}
        if labels.task == "multi_label":
            names = [n for n, applies in zip(labels.names, choice, strict=True) if applies]
            yield {"labels": names, "probabilities": by_name}
        else:
            yield {"label": labels.names[int(choice)], "probabilities": by_name}


def check_top_k(value: str | None, labels: LabelSpace) -> int | None:
    """Reads the flag --top-k.

    Raises:
        UserError: It is no number of labels that the model has.
    """
    if value is None:
        return None
    if labels.task == "regression":
        raise UserError(f"--top-k: received {value}, but this model predicts a number")
    if not value.isdecimal() or not 1 <= int(value) <= labels.num_outputs:
        raise UserError(
            f"--top-k: received {value!r}; accepted: 1 to {labels.num_outputs}, as it has labels"
        )
    return int(value)
