"""What comparing out of fold would add where the validation examples decide too little."""

import math
from collections.abc import Iterable

from tf_finetune.data.loading import Splits
from tf_finetune.options.data import DataConfig
from tf_finetune.results.recommendation import Recommendation
from tf_finetune.results.trial import TrialResult
from tf_finetune.searches.running.live import duration

_FOLDS = 5
# With fewer times the examples, standard errors would shrink by less than a quarter.
_LEAST_FACTOR = 1.8


def fold_notes(
    data: DataConfig,
    splits: Splits,
    found: Recommendation,
    trials: Iterable[TrialResult],
    confidence: float,
) -> list[str]:
    """A sentence where folds would make an answer surer as more seeds cannot; else none.

    Seeds average out chance in training; that of the validation examples stays, however many there
    are. Out of fold the training examples compare depths as well. While more trials would still
    tell something, because time, their number or Ctrl-C ended the race, they come first.

    Args:
        data: Where the examples come from.
        splits: The examples of the search.
        found: What it recommends.
        trials: Of the search, which say what they took.
        confidence: With which the answer of a race has to be right.
    """
    validation, chance = splits.validation, found.chance_right
    if validation is None or found.folds is not None or not found.has_told_all:
        return []
    if chance is None or chance >= confidence:
        return []
    still_open = {found.best_place, found.recommended_place}
    still_open |= {d.place for d in found.depths if d.to_best and not d.to_best.separated}
    seconds = {
        trial.cell.place: trial.train_seconds
        for trial in trials
        if trial.cell.place in still_open
        and trial.train_seconds is not None
        and not trial.cell.is_solved
    }
    examples = len(splits.train) + len(validation)
    if examples < _LEAST_FACTOR * len(validation) or not seconds:
        return []
    longer = (_FOLDS - 1) * examples / len(splits.train)  # each leaves one fold out
    depths = ",".join(map(str, sorted({place.depth for place in seconds})))
    narrower = math.sqrt(len(validation) / examples)
    how = f"data.folds={_FOLDS} search.depths={depths}"
    if data.validation is not None:
        how += " data.validation=null, with the validation examples added to those of data.train"
    return [
        f"More trials would hardly tell more on these {len(validation):,} validation examples. Out "
        f"of fold {examples:,} would compare depths, with standard errors {narrower:.2g} times as "
        f"large, in about {duration(longer * sum(seconds.values()))} for one rate of those that "
        f"are open: {how}."
    ]
