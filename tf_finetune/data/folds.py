"""The trainings behind the score of a configuration: a single one, or one for each fold."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from tf_finetune.data.loading import Splits
from tf_finetune.data.splits import Split

# As a split: every training example, answered by the model that was not trained on its fold.
OUT_OF_FOLD = "out-of-fold"

Kept = TypeVar("Kept")


@dataclass(frozen=True, eq=False)
class Round:
    """One training, and the examples that it is scored on.

    Attributes:
        name: "fold-1" and so on; "" of the only one.
        splits: What it is trained on, and as the validation split what it is scored on.
        trained: Which of the job's training examples it is trained on, int64.
        scored: Which of the examples of `scored_split` it is scored on, int64.
    """

    name: str
    splits: Splits
    trained: np.ndarray
    scored: np.ndarray

    def own(
        self, kept: Mapping[str, Kept], take: Callable[[Kept, np.ndarray], Kept]
    ) -> Mapping[str, Kept]:
        """What was computed once for the job's "train" and "validation", for this round's.

        With folds both are taken out of the training examples.

        Args:
            kept: By name of the split; may be empty.
            take: Takes the rows of some examples.
        """
        if not self.name or not kept:
            return kept
        train = kept["train"]
        return {"train": take(train, self.trained), "validation": take(train, self.scored)}


def rounds_of(splits: Splits) -> tuple[Round, ...]:
    """The trainings that together score each example of `scored_split` once."""
    folds = splits.folds
    if folds is None:
        scored = scored_split(splits)
        of_all = np.arange(len(splits.train)), np.arange(0 if scored is None else len(scored))
        return (Round("", splits, *of_all),)
    return tuple(_round(splits, folds, fold) for fold in range(int(folds.max()) + 1))


def scored_split(splits: Splits) -> Split | None:
    """The examples that configurations are compared on: validation, or with folds training."""
    if splits.folds is None:
        return splits.validation
    return replace(splits.train, name=OUT_OF_FOLD)


def describe_folds(splits: Splits) -> list[str]:
    """A line about the folds; none without."""
    if splits.folds is None:
        return []
    sizes = np.bincount(splits.folds)
    return [
        f"folds: {len(sizes)} of {', '.join(map(str, sizes))} training examples (data.folds), each "
        "scored by a model trained on the others; the final model is trained on all"
    ]


def _round(splits: Splits, folds: np.ndarray, fold: int) -> Round:
    trained, scored = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
    validation = replace(splits.train.select(scored), name="validation")
    of_fold = replace(
        splits, train=splits.train.select(trained), validation=validation, test=None, folds=None
    )
    return Round(f"fold-{fold + 1}", of_fold, trained, scored)
