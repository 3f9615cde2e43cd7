"""How unsure a model is of a text, by which the texts to label next are found.

Every measure goes from 0, sure, to 1: it cannot tell. What a task makes of its outputs stands with
the task; here are the measures of probabilities that exclude each other (B. Settles, "Active
Learning Literature Survey", 2009), and of those that stand for themselves.
"""

from collections.abc import Sequence
from typing import ClassVar, Literal

import numpy as np
from scipy import special

from tf_finetune.sources.records import Record
from tf_finetune.tasks.task_rows import TaskRow

Measure = Literal["entropy", "margin"]
_NAMED = 2  # labels whose probabilities a sentence gives


class Doubts:
    """What a task says of how unsure a model is; a part of `LabelSpace`.

    Attributes:
        measures: Those that mean something of its answers, the usual one first; none of numbers.
        is_one_class: Whether `predicted` is the number of one class, int [n], of which as many
            texts of each may be wanted.
    """

    measures: ClassVar[tuple[Measure, ...]] = ()
    is_one_class: ClassVar[bool] = False

    def doubts(
        self,
        measure: Measure,
        records: Sequence[Record],
        rows: Sequence[TaskRow],
        logits: np.ndarray,
    ) -> np.ndarray:
        """How unsure the model is of each example, from 0 to 1, float64 [n].

        Args:
            measure: One of `measures`.
            records: The examples.
            rows: Their rows, where the task makes them; else none.
            logits: Finite outputs, as `LabelSpace.row_answers` gets them.
        """
        raise ValueError("these answers have no probabilities")

    def doubt_in_words(
        self, measure: Measure, record: Record, rows: Sequence[TaskRow], logits: np.ndarray
    ) -> str:
        """Why an example has its doubt.

        Args:
            measure: As for `doubts`.
            record: The example.
            rows: Its rows.
            logits: Of this example alone.
        """
        raise ValueError("these answers have no probabilities")


def doubts_of_one(measure: Measure, probabilities: np.ndarray) -> np.ndarray:
    """Of probabilities that exclude each other.

    Args:
        measure: entropy: that of the probabilities, as a part of the largest there could be;
            margin: 1 less what the likeliest is ahead of the next.
        probabilities: float64 [..., C], C at least 2.

    Returns:
        float64 [...].
    """
    if measure == "entropy":
        entropy: np.ndarray = special.entr(probabilities).sum(axis=-1)
        return entropy / np.log(probabilities.shape[-1])
    ordered = np.sort(probabilities, axis=-1)
    lead: np.ndarray = ordered[..., -1] - ordered[..., -2]
    return 1 - lead


def doubts_of_several(measure: Measure, probabilities: np.ndarray, threshold: float) -> np.ndarray:
    """Of probabilities that stand for themselves.

    Args:
        measure: entropy: the mean over the labels of the entropy of yes and no; margin: 1 less
            how far the label that is nearest to the threshold is from it, as a part of the way
            to 0 or 1.
        probabilities: float64 [n, C].
        threshold: Above which a label applies.

    Returns:
        float64 [n].
    """
    if measure == "entropy":
        both = special.entr(probabilities) + special.entr(1 - probabilities)
        means: np.ndarray = both.mean(axis=-1) / np.log(2)
        return means
    nearest: np.ndarray = _from_threshold(probabilities, threshold).min(axis=-1)
    return 1 - nearest


def words_of_one(measure: Measure, probabilities: np.ndarray, names: Sequence[str]) -> str:
    """Such as `unsure between pos 0.52 and neg 0.46 (entropy 0.99)`.

    Args:
        measure: By which.
        probabilities: Of one answer, float64 [C].
        names: Of the outputs.
    """
    order = np.argsort(-probabilities, kind="stable")[:_NAMED]
    between = " and ".join(f"{names[place]} {probabilities[place]:.3f}" for place in order)
    doubt = float(doubts_of_one(measure, probabilities))
    told = f"entropy {doubt:.3f}" if measure == "entropy" else f"{1 - doubt:.3f} apart"
    return f"unsure between {between} ({told})"


def words_of_several(
    measure: Measure, probabilities: np.ndarray, names: Sequence[str], threshold: float
) -> str:
    """Such as `nearest to the threshold 0.5: sport 0.48 and war 0.61 (mean entropy 0.31)`.

    Args:
        measure: By which.
        probabilities: Of one example, float64 [C].
        names: Of the outputs.
        threshold: Above which a label applies.
    """
    order = np.argsort(_from_threshold(probabilities, threshold), kind="stable")
    if measure == "margin":
        order = order[:1]
    near = " and ".join(f"{names[p]} {probabilities[p]:.3f}" for p in order[:_NAMED])
    said = f"nearest to the threshold {threshold:g}: {near}"
    if measure == "margin":
        return said
    doubt = doubts_of_several(measure, probabilities[None], threshold)[0]
    return f"{said} (mean entropy {doubt:.3f})"


def _from_threshold(probabilities: np.ndarray, threshold: float) -> np.ndarray:
    """How far probabilities are from a threshold, as a part of the way to 0 or 1."""
    way = np.where(probabilities > threshold, 1 - threshold, threshold)
    distance: np.ndarray = np.abs(probabilities - threshold) / way
    return distance
