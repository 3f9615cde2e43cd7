"""Heads that are solved exactly, compared with each other on more than the validation examples.

To choose its penalty a head of the first answer has answered its training examples too, each while
it was solved without the example's fold. So heads can be compared on both together, several times
as many examples for nothing: each is answered by a head that has not seen it, the validation split
being one fold more (pooled cross-validation: M. Stone, "Cross-Validatory Choice and Assessment of
Statistical Predictions", 1974). What trains by steps has answered the validation examples alone,
and is compared with heads on these.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from tf_finetune.data.read_vectors import stacked
from tf_finetune.results.trial import OutOfFold, Predictions, TrialResult
from tf_finetune.tasks.labels import LabelSpace

# With so many validation examples a difference that matters is seen on them.
_ENOUGH_EXAMPLES = 5_000


class PooledHeads(NamedTuple):
    """Heads with their answers to validation and training examples.

    Attributes:
        trials: As they were, but for `predictions`.
        examples: How many examples are answered.
        folds: In how many folds they are.
    """

    trials: list[TrialResult]
    examples: int
    folds: int

    @property
    def note(self) -> str:
        """What they are compared on, in a sentence."""
        return (
            f"The heads are compared on {self.examples:,} examples: the validation split and, "
            "each answered by a head that was solved without its fold, the training examples."
        )


def pooled_heads(trials: Sequence[TrialResult], labels: LabelSpace) -> PooledHeads | None:
    """The trials on all examples that they have answered, if they are heads alone.

    Args:
        trials: All that a comparison is made of, failed ones included.
        labels: What they answer.

    Returns:
        None where one of them has answered the validation examples alone, or these are enough.
    """
    completed = [trial for trial in trials if trial.status == "completed"]
    if not completed or not all(trial.cell.is_solved for trial in completed):
        return None
    out_of_fold = [trial.load_out_of_fold() for trial in completed]
    kept = [answers for answers in out_of_fold if answers is not None]
    validation = [trial.load_predictions() for trial in completed]
    enough = labels.example_count(validation[0].targets) >= _ENOUGH_EXAMPLES
    if len(kept) < len(completed) or enough:
        return None
    pooled = [_together(labels, *both) for both in zip(validation, kept, strict=True)]
    found = [
        replace(trial, predictions=answers)
        for trial, answers in zip(completed, pooled, strict=True)
    ]
    failed = [trial for trial in trials if trial.status != "completed"]
    count = labels.example_count(pooled[0].targets)
    return PooledHeads([*found, *failed], count, kept[0].folds + 1)


def _together(labels: LabelSpace, validation: Predictions, out_of_fold: OutOfFold) -> Predictions:
    other = out_of_fold.predictions
    return Predictions(
        labels.joined_targets(validation.targets, other.targets),
        stacked([validation.logits, other.logits]),
    )
