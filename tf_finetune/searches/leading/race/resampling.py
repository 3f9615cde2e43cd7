"""Scores trials on resamples of the validation examples, each trial once."""

import numpy as np

from tf_finetune.evaluation.resampling import resampled_scores
from tf_finetune.results.trial import Cell, TrialResult
from tf_finetune.searches.leading.race.observed import Resampled
from tf_finetune.tasks.labels import LabelSpace

_RESAMPLES = 1000


def resampler(labels: LabelSpace, metric: str, *, higher_is_better: bool) -> Resampled:
    """A function that scores a trial on the same resamples as every other; higher is better.

    Two pseudo-examples are among them, one answered rightly and one wrongly, so that scores vary
    where nothing went wrong.

    Args:
        labels: What the labels are.
        metric: The score that decides.
        higher_is_better: Whether it does.
    """
    sign = 1.0 if higher_is_better else -1.0
    known: dict[tuple[Cell, int, int | None], np.ndarray] = {}

    def resampled(trial: TrialResult) -> np.ndarray:
        key = trial.cell, trial.seed, trial.epochs
        if key not in known:
            targets, logits = trial.load_predictions()
            scores = resampled_scores(labels, targets, logits, _RESAMPLES, 0, ("right", "wrong"))
            known[key] = sign * scores[metric]
        return known[key]

    return resampled
