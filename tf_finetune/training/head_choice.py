"""Chooses the penalty of a head by cross-validation inside the examples that it is trained on.

The examples are dealt into folds, equal texts into one. For each fold a path of penalties is solved
with the weights of the fold's examples at 0, and answers them (Stone 1974, "Cross-Validatory Choice
and Assessment of Statistical Predictions"). So the validation split takes no part: its scores
are not those of a head that was picked on it.
"""

from dataclasses import dataclass, replace

import numpy as np

from tf_finetune.data.permutation import stable_permutation
from tf_finetune.data.splits import Split, distinct_texts
from tf_finetune.data.stratification import strata_of, take_folds
from tf_finetune.machine import interruption
from tf_finetune.tasks.labels import LabelSpace
from tf_finetune.training.head_path import HeadProblem, penalties_for, solve_path

FOLDS = 5
# With so many answers a difference that matters is seen, and further folds are left out.
_ENOUGH_ANSWERS = 5_000
# Far from the optimum by what no score shows, and reached in a fifth of the steps.
_TOLERANCE = 1e-3
_LOOSER = 100.0  # than what counts as solved, where that is far from exact itself
# Answers times outputs up to which all examples take part, and the fewest that do.
_MOST_WORK = 250_000
_FEWEST_EXAMPLES = 200
# The path ends where so many penalties in a row did not better the loss.
_PATIENCE = 2


@dataclass(frozen=True, eq=False)
class PenaltyChoice:
    """What cross-validation says of penalties.

    Attributes:
        penalties: Those that were tried, the largest first; the path may end early.
        scores: Of the answers to held-out examples, as `LabelSpace.score` gives them, one a
            penalty.
        best: Index of the chosen one: the lowest loss.
        asked: Which training examples were held out once, int64 [n].
        answers: Logits for them with the chosen penalty, each by a head that was solved without
            its fold, float32 [n, outputs].
        folds: How many folds were held out.
    """

    penalties: tuple[float, ...]
    scores: tuple[dict[str, float], ...]
    best: int
    asked: np.ndarray
    answers: np.ndarray
    folds: int

    @property
    def penalty(self) -> float:
        """The chosen one."""
        return self.penalties[self.best]

    @property
    def score(self) -> dict[str, float]:
        """Of its answers."""
        return self.scores[self.best]


def inner_folds(train: Split, labels: LabelSpace) -> np.ndarray:
    """The fold of each training example, int64 [n] from 0; a function of the examples alone.

    Args:
        train: The examples.
        labels: What their labels mean.
    """
    first, text = distinct_texts(train)
    folds = min(FOLDS, len(first))
    strata = strata_of(labels, train.labels[first], most=max(1, len(first) // folds))
    return take_folds(strata, folds)[text]


def choose_penalty(problem: HeadProblem, folds: np.ndarray, weight_decay: float) -> PenaltyChoice:
    """Solves each penalty on the other folds and takes the one that answers best.

    The loss decides and not the score: it changes with every answer, so that it tells penalties
    apart where a score of a few hundred examples does not.

    Args:
        problem: All training examples.
        folds: From `inner_folds`.
        weight_decay: Around which penalties are tried; see `penalties_for`.

    Raises:
        Interrupted: A signal came in a region of `interruption.deferred`.
    """
    sample, tolerance = _sample(problem), max(_TOLERANCE, _LOOSER * problem.tolerance)
    if not sample.all():
        problem, folds = problem.select(sample), folds[sample]
    penalties, by_vector = penalties_for(weight_decay), problem.by_vector
    held = _held_out(folds)
    of_folds = [
        (folds == fold, replace(problem, weights=problem.weights * by_vector(folds != fold)))
        for fold in held
    ]
    paths = [solve_path(training, penalties, tolerance) for _, training in of_folds]
    asked = np.flatnonzero(np.isin(folds, held))
    reads = 1 if problem.rows is None else problem.rows.is_read.shape[1]
    answers = np.empty((len(folds), reads * problem.labels.num_outputs), np.float32)
    scores: list[dict[str, float]] = []
    best, of_best = 0, answers[asked]
    for solved in zip(*paths, strict=True):
        interruption.check()
        for (rows, _), head in zip(of_folds, solved, strict=True):
            answers[rows] = problem.answers(head, rows)
        scores.append(problem.labels.score(problem.row_targets[asked], answers[asked]))
        if scores[-1]["loss"] < scores[best]["loss"] or len(scores) == 1:
            best, of_best = len(scores) - 1, answers[asked]
        if len(scores) - 1 - best >= _PATIENCE:
            break
    tried = penalties[: len(scores)]
    asked_of_all = np.flatnonzero(sample)[asked]
    return PenaltyChoice(tried, tuple(scores), best, asked_of_all, of_best, len(held))


def _sample(problem: HeadProblem) -> np.ndarray:
    """The rows that penalties are compared on, bool [n]: all, or those of as many as are quick.

    What a solver does is in proportion to answers times outputs, of which tagged words have many
    each; penalties half a decade apart are told apart by a few thousand of them.
    """
    work = len(problem.targets) * problem.labels.num_outputs
    example = problem.labels.examples_of(problem.row_targets)
    count = int(example.max()) + 1
    kept = max(_FEWEST_EXAMPLES, int(count * _MOST_WORK / work))
    kept_examples: np.ndarray = stable_permutation(count, 0) < kept
    return kept_examples[example]


def _held_out(folds: np.ndarray) -> np.ndarray:
    """The folds whose examples are asked: all, or the first that have enough together."""
    together = np.cumsum(np.bincount(folds))
    return np.arange(1 + min(int(np.searchsorted(together, _ENOUGH_ANSWERS)), len(together) - 1))
