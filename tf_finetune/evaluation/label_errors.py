"""Labels that are probably wrong, by answers of models that have not seen them.

Confident learning: C. G. Northcutt, L. Jiang and I. L. Chuang, "Confident Learning: Estimating
Uncertainty in Dataset Labels" (Journal of Artificial Intelligence Research 2021). A model is
confident of a class where it gives it at least the probability that it gives it on average to the
texts that are labelled so: this forgives classes of which it is never sure. A text of one label and
a confident answer of another is suspect, and their counts say how many labels are wrong in all.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class LabelErrors:
    """What answers say of labels.

    Attributes:
        places: The suspect texts, the surest first, int64 [s].
        suggested: The class that each has more likely, int64 [s].
        estimated: How many labels of all are wrong, by what the counts say.
        confident: Texts by label (outer) and confident answer, int64 [C, C].
    """

    places: np.ndarray
    suggested: np.ndarray
    estimated: float
    confident: np.ndarray


def find_label_errors(targets: np.ndarray, probabilities: np.ndarray) -> LabelErrors:
    """Compares labels with answers to them.

    Args:
        targets: The class that each text is labelled with, int [n].
        probabilities: Of each class, by a model that was not trained on the text, float64 [n, C].
    """
    n, classes = probabilities.shape
    labelled = targets[:, None] == np.arange(classes)
    counts = labelled.sum(axis=0)
    sums = np.where(labelled, probabilities, 0.0).sum(axis=0)
    # Nothing is known of a class that no text has: no answer is confident of it.
    thresholds = np.divide(sums, counts, out=np.full(classes, np.inf), where=counts > 0)
    is_confident = probabilities >= thresholds
    answers = np.where(is_confident, probabilities, -1.0).argmax(axis=1)
    counted = is_confident.any(axis=1)
    confident = np.zeros((classes, classes), np.int64)
    np.add.at(confident, (targets[counted], answers[counted]), 1)
    every = np.arange(n)
    margins = probabilities[every, answers] - probabilities[every, targets]
    # Where the label is likelier all the same, nobody would change it; it only counts.
    suspect = np.flatnonzero(counted & (answers != targets) & (margins > 0))
    order = suspect[np.argsort(-margins[suspect], kind="stable")]
    return LabelErrors(order, answers[order], _estimated(confident, counts), confident)


def _estimated(confident: np.ndarray, counts: np.ndarray) -> float:
    """Wrong labels among all, as if those that were not counted were like the counted ones."""
    told = confident.sum(axis=1)
    wrong = told - np.diag(confident)
    return float((counts * np.divide(wrong, told, out=np.zeros(len(told)), where=told > 0)).sum())
