"""The temperature with the least loss on some examples, one number for all logits.

The loss of a model's logits times b = 1 / T is convex in b, so its slope has one root or none
(C. Guo et al., "On Calibration of Modern Neural Networks", 2017, section 4.2).
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import optimize

from tf_finetune.evaluation.averaging import averaged_logits
from tf_finetune.tasks.labels import LabelSpace

LEAST, MOST = 0.05, 20.0  # beyond them a model says nothing, or is as sure of everything


class FoundTemperature(NamedTuple):
    """What came of a search for a temperature.

    Attributes:
        value: The temperature; 1 where there is none to find.
        sentence: How it was found, or why it was not.
    """

    value: float
    sentence: str


def fit_temperature(
    labels: LabelSpace, targets: np.ndarray, logits: np.ndarray, on: str = "validation"
) -> FoundTemperature:
    """Finds the temperature with the least mean loss, without class weights or smoothing.

    Args:
        labels: What the outputs mean; a task that `calibrates`.
        targets: Encoded labels of n examples that the model was not trained on.
        logits: Outputs, float [n, C].
        on: What the examples are, for the sentence.

    Returns:
        A temperature between `LEAST` and `MOST`, or 1 with the reason: outputs are not finite,
        the loss falls without end as it does where all answers are right, or it is least where
        the model says nothing.
    """
    count, logits = len(targets), np.asarray(logits, np.float64)
    if not np.isfinite(logits).all():
        return FoundTemperature(1.0, "temperature 1: outputs are NaN or infinite")

    def slope(inverse: float) -> float:
        _, by_logit = labels.losses_and_slopes(targets, logits * inverse)
        return float((by_logit * logits).sum(axis=-1).mean())

    examples = f"the {count:,} {on} examples"
    if slope(1 / LEAST) <= 0:
        why = (
            f"all {count:,} {on} examples are answered right, so the loss falls without end"
            if labels.right(targets, logits).all()
            else f"the loss of {examples} still falls at {LEAST:g}, the least that is tried"
        )
        return FoundTemperature(1.0, f"temperature 1: {why}")
    if slope(1 / MOST) >= 0:
        return FoundTemperature(
            1.0,
            f"temperature 1: the loss of {examples} still falls at {MOST:g}, the most that is "
            "tried: the model is worse than one that says nothing",
        )
    inverse = float(optimize.brentq(slope, 1 / MOST, 1 / LEAST, xtol=1e-9, rtol=1e-9))
    temperature = float(np.float32(1 / inverse))
    before, after = (
        float(labels.losses_and_slopes(targets, logits / by)[0].mean()) for by in (1.0, temperature)
    )
    return FoundTemperature(
        temperature,
        f"temperature {temperature:.3g}: on {examples} the loss is {after:.4f}, "
        f"without it {before:.4f}",
    )


def fit_joint_temperature(
    labels: LabelSpace, targets: np.ndarray, logits: Sequence[np.ndarray]
) -> float:
    """One temperature for several models, with the least loss of their averaged answers.

    Averaged answers are less sure than those of the models, so that each model's own temperature
    would make the ensemble too unsure (R. Rahaman & A. Thiery, "Uncertainty Quantification and
    Deep Ensembles", 2021).

    Args:
        labels: What the outputs mean; a task that `calibrates`.
        targets: Encoded labels of n examples.
        logits: Outputs of each model, float [n, C].

    Returns:
        A temperature between `LEAST` and `MOST`; 1 where the loss is least at one of them.
    """

    def loss(logarithm: float) -> float:
        scaled = [np.asarray(one, np.float64) / np.exp(logarithm) for one in logits]
        averaged = averaged_logits(labels, scaled).astype(np.float64)
        return float(labels.losses_and_slopes(targets, averaged)[0].mean())

    bounds = float(np.log(LEAST)), float(np.log(MOST))
    found = optimize.minimize_scalar(loss, bounds=bounds, method="bounded", options={"xatol": 1e-6})
    inside = found.fun < min(map(loss, (*bounds, 0.0)))  # at an end it would not end there
    return float(np.float32(np.exp(found.x))) if inside else 1.0
