"""The median stopping rule, among the trials of one method at one depth.

After Golovin et al. (2017), "Google Vizier: A Service for Black-Box Optimization", section 3.2.2:
a trial is stopped if its best score so far is worse than the median of what the others had
reached. Vizier compares running averages, which start low for everyone here, where epochs are
few; so best is compared with best. Depths, and methods, are not compared with each other: that
one is poor is part of the answer, and a search keeps its full score.
"""

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence

from tf_finetune.searches.running.records import TrialRecord
from tf_finetune.searches.running.trial_request import TrialRequest

History = Sequence[Mapping[str, float | None]]


def peers(request: TrialRequest, records: Iterable[TrialRecord]) -> list[History]:
    """Histories of the other trials at a request's depth by its method, for as many epochs."""
    return [
        record.history
        for record in records
        if record.is_completed
        and record.request.cell.place == request.cell.place
        and record.request.epochs == request.epochs
        and record.request.key != request.key
    ]


def is_below_median(
    history: History, others: Iterable[History], metric: str, higher_is_better: bool
) -> bool:
    """Whether a trial is to be given up after its last epoch so far.

    Args:
        history: Its logs, one entry an epoch.
        others: Those of its peers; one that ended before as many epochs does not count.
        metric: Name of the score in the logs.
        higher_is_better: Its direction.

    Returns:
        False where there is nobody to compare with.
    """
    epochs = len(history)
    reached = [
        _best(other[:epochs], metric, higher_is_better) for other in others if len(other) >= epochs
    ]
    if not reached or not epochs:
        return False
    return _best(history, metric, higher_is_better) < statistics.median(reached)


def _best(history: History, metric: str, higher_is_better: bool) -> float:
    """The best score, turned so that more is better; NaN beats nothing."""
    sign = 1.0 if higher_is_better else -1.0
    scores = (entry.get(metric) for entry in history)
    return max((sign * s for s in scores if s is not None and not math.isnan(s)), default=-math.inf)
