"""Whether new texts are like those of training: can a linear model tell their states apart?

A logistic regression on the encoder's states answers, out of fold, which texts are new (the
classifier two-sample test of D. Lopez-Paz and M. Oquab, ICLR 2017). The area under its curve is 0.5
where they cannot be told apart and 1 where each can. The interval is that of E. R. DeLong, D. M.
DeLong and D. L. Clarke-Pearson (Biometrics 1988), on the scale of log odds.
"""

from dataclasses import dataclass

import numpy as np
from scipy import special, stats

FOLDS = 5


@dataclass(frozen=True)
class Shift:
    """How well new texts and those of training are told apart.

    Attributes:
        known: How many texts of training were taken.
        new: How many new ones.
        auc: Area under the curve.
        low: Where its interval begins.
        high: Where it ends.
    """

    known: int
    new: int
    auc: float
    low: float
    high: float

    @property
    def sentence(self) -> str:
        """What it means."""
        found = f"AUC {self.auc:.3f} ({self.low:.3f} to {self.high:.3f})"
        if self.low <= 0.5:
            return f"new texts cannot be told from those of training: {found}"
        return f"a linear model tells new texts from those of training: {found}"


def shift_between(known: np.ndarray, new: np.ndarray, confidence: float, seed: int) -> Shift:
    """Tells states of new texts from those of training.

    Args:
        known: States of texts of training, float32 [k, hidden], k at least `FOLDS`.
        new: Those of new texts, likewise.
        confidence: Coverage of the interval.
        seed: Deals the folds.
    """
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    from tf_finetune.tasks.named_classes import logistic_regression

    states = np.concatenate([known, new])
    is_new = np.repeat([0, 1], [len(known), len(new)])
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    model = make_pipeline(StandardScaler(), logistic_regression())
    scores = cross_val_predict(model, states, is_new, cv=folds, method="decision_function")
    auc, deviation = _auc_and_deviation(scores[is_new == 0], scores[is_new == 1])
    low, high = _interval(auc, deviation, confidence)
    return Shift(len(known), len(new), auc, low, high)


def _auc_and_deviation(known: np.ndarray, new: np.ndarray) -> tuple[float, float]:
    """The area, and its deviation by the shares of the others that each text stands above."""
    together = stats.rankdata(np.concatenate([known, new]))
    above_known = (together[len(known) :] - stats.rankdata(new)) / len(known)
    below_new = 1 - (together[: len(known)] - stats.rankdata(known)) / len(new)
    variance = above_known.var(ddof=1) / len(new) + below_new.var(ddof=1) / len(known)
    return float(above_known.mean()), float(np.sqrt(variance))


def _interval(auc: float, deviation: float, confidence: float) -> tuple[float, float]:
    if auc in (0.0, 1.0):
        return auc, auc
    width = stats.norm.ppf((1 + confidence) / 2) * deviation / (auc * (1 - auc))
    middle = special.logit(auc)
    return float(special.expit(middle - width)), float(special.expit(middle + width))
