"""Whether a model is right as often as it says, and what answering only where it is sure gains.

The expected calibration error is that of M. Naeini et al., "Obtaining Well Calibrated
Probabilities Using Bayesian Binning", 2015, with bins of one width as in C. Guo et al., 2017.
"""

from dataclasses import dataclass

import numpy as np

from tf_finetune.tasks.labels import LabelSpace

BINS = 15
MOST_POINTS = 100  # of the curve of coverage


@dataclass(frozen=True)
class Bin:
    """Decisions of about the same confidence.

    Attributes:
        low: The least confidence of the bin.
        high: The most.
        count: How many decisions.
        confidence: Their mean confidence.
        accuracy: How many of them are right, as a share.
    """

    low: float
    high: float
    count: int
    confidence: float
    accuracy: float


@dataclass(frozen=True)
class Reliability:
    """How well confidence says how often a model is right.

    Attributes:
        error: The expected calibration error: by how much the two differ, the mean over the
            decisions.
        loss: The mean loss.
        bins: Those that hold decisions, the least sure first.
    """

    error: float
    loss: float
    bins: tuple[Bin, ...]


@dataclass(frozen=True)
class Coverage:
    """What comes of answering only the texts that a model is this sure of.

    Attributes:
        share: Of the texts, how many are answered.
        confidence: The least confidence of those.
        accuracy: How many of the answers are right.
    """

    share: float
    confidence: float
    accuracy: float


@dataclass(frozen=True)
class Calibration:
    """How far a model's probabilities can be believed.

    Attributes:
        temperature: What its logits were divided by.
        after: Of the model as it is.
        before: Of the same without its temperature; None where it has none, or several models
            answer.
        coverage: Of the surest texts, of more and more, and at last of all.
    """

    temperature: float
    after: Reliability
    before: Reliability | None
    coverage: tuple[Coverage, ...]

    def sentence(self) -> str:
        """Such as `calibration error 0.021, 0.083 without the temperature 1.8`."""
        said = f"calibration error {self.after.error:.3f}"
        if self.before is None:
            return said
        return f"{said}, {self.before.error:.3f} without the temperature {self.temperature:.3g}"


def calibration_of(
    labels: LabelSpace, targets: np.ndarray, logits: np.ndarray, *, averaged: bool = False
) -> Calibration | None:
    """Measures how far probabilities can be believed.

    Args:
        labels: What the outputs mean, with the temperature of the model.
        targets: Encoded labels of n examples.
        logits: Finite outputs of the model, its temperature applied.
        averaged: Whether the outputs are those of several models, which cannot be taken back.

    Returns:
        The measure; None of a task that does not calibrate.
    """
    if not labels.calibrates:
        return None
    logits, by = np.asarray(logits, np.float64), labels.temperature
    before = None if by == 1 or averaged else reliability(labels, targets, logits * by)
    surely = labels.certainty(logits), labels.right(targets, logits)
    return Calibration(by, reliability(labels, targets, logits), before, coverage(*surely))


def reliability(labels: LabelSpace, targets: np.ndarray, logits: np.ndarray) -> Reliability:
    """The calibration error with its bins, and the loss.

    Args:
        labels: What the outputs mean.
        targets: Encoded labels of n examples.
        logits: Finite outputs, float64 [n, C].
    """
    confidence, right = labels.decisions(targets, logits)
    # A bin holds its upper end, so that a confidence of 1 needs no bin of its own.
    places = np.clip(np.ceil(confidence * BINS).astype(int) - 1, 0, BINS - 1)
    counts = np.bincount(places, minlength=BINS)
    confidences, rights = (
        np.bincount(places, weights=values, minlength=BINS) for values in (confidence, right)
    )
    error = float(np.abs(confidences - rights).sum() / len(confidence))
    loss = float(labels.losses_and_slopes(targets, logits)[0].mean())
    bins = tuple(
        Bin(
            low=place / BINS,
            high=(place + 1) / BINS,
            count=int(counts[place]),
            confidence=float(confidences[place] / counts[place]),
            accuracy=float(rights[place] / counts[place]),
        )
        for place in np.flatnonzero(counts).tolist()
    )
    return Reliability(error, loss, bins)


def coverage(confidence: np.ndarray, right: np.ndarray) -> tuple[Coverage, ...]:
    """Accuracy of the surest answers, of more and more of them.

    Answers of equal confidence are told apart by nothing, so all of them are taken or none.

    Args:
        confidence: Of each answer, float [n].
        right: Whether it is right, bool [n].

    Returns:
        At most `MOST_POINTS`, spread evenly over the answers; the last one is of all.
    """
    order = np.argsort(-confidence, kind="stable")
    ordered, total = confidence[order], len(order)
    accuracy = np.cumsum(right[order]) / np.arange(1, total + 1)
    ends = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True))
    kept = ends[np.unique(np.linspace(0, len(ends) - 1, MOST_POINTS).astype(int))]
    return tuple(
        Coverage((end + 1) / total, float(ordered[end]), float(accuracy[end]))
        for end in kept.tolist()
    )
