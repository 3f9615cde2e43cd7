"""Examples that nobody saw but that are possible: answered rightly, or wrongly.

A set in which every answer is right holds no example of a mistake, so resampling it never
makes one. One example more, answered wrongly, is what an interval then has to allow for.
"""

from typing import Literal

import numpy as np

from tf_finetune.data.labels import LabelSpace
from tf_finetune.reports.metrics import predicted

Kind = Literal["right", "wrong"]
# A wrong answer stands for many: so many are made, and each resample takes one of them.
MOST_EXAMPLES = 64
_NUDGE = 1e-6


def pseudo_examples(
    labels: LabelSpace, targets: np.ndarray, logits: np.ndarray, kind: Kind, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Copies of random examples whose answers are made right or wrong.

    Every class that occurs among the targets is as likely as any other, because a rare one
    is what little is known of.

    - One class: the highest logit changes places with that of the true class, or with that
      of a class which another example has.
    - Several labels: every decision keeps its confidence and becomes the right one; or all
      true labels are missed and as many others given (at least one), the frequent ones first.
    - A number: the target itself; or it is missed, upwards or downwards, by the largest
      error that the model made, and by one step between neighbouring targets if that is more.

    Args:
        labels: What the labels are, C classes.
        targets: Encoded labels of the n examples, as in `metrics.score`.
        logits: Finite outputs, as in `metrics.score`.
        kind: What becomes of the answers.
        seed: Draws the examples, and what is wrong about them, whatever the outputs: those
            of several models are the same examples.

    Returns:
        Targets and outputs of m = min(n, `MOST_EXAMPLES`) examples, shaped as the given ones.
    """
    rng = np.random.default_rng(seed)
    rows = _rows(labels, targets, rng)
    if labels.task == "regression":
        error = _wrong_errors(targets, predicted(labels, logits), len(rows), rng)
        numbers = targets[rows] + (error if kind == "wrong" else 0.0)
        return targets[rows], numbers.reshape(len(rows), *logits.shape[1:])
    answers = np.array(logits[rows], np.float64)
    if labels.task == "single_label":
        others = _other_classes(targets, rows, labels.num_outputs, rng)
        _answer_class(answers, others if kind == "wrong" else targets[rows])
    else:
        goal = targets[rows] > 0
        if kind == "wrong":
            goal = _wrong_sets(targets, goal, rng)
        size = np.maximum(np.abs(answers), _NUDGE)
        answers = np.where(goal, size, -size)
    return targets[rows], answers


def _rows(labels: LabelSpace, targets: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Indices of the examples to copy, [m]: first a class is drawn, then one that has it."""
    size = min(len(targets), MOST_EXAMPLES)
    if labels.task == "regression" or not targets.any():
        return rng.choice(len(targets), size, replace=False)

    def having(one: int) -> np.ndarray:
        return np.flatnonzero(targets == one if targets.ndim == 1 else targets[:, one])

    seen = np.unique(targets) if targets.ndim == 1 else np.flatnonzero(targets.any(axis=0))
    return np.array([rng.choice(having(one)) for one in rng.choice(seen, size)])


def _answer_class(answers: np.ndarray, goal: np.ndarray) -> None:
    """Makes the highest of answers [m, C] that of the class `goal` [m]."""
    at = np.arange(len(answers))
    top = answers.argmax(axis=1)
    highest = answers[at, top]
    answers[at, top] = answers[at, goal]
    answers[at, goal] = highest + _NUDGE * (1.0 + np.abs(highest))  # above any equal one


def _other_classes(
    targets: np.ndarray, rows: np.ndarray, num_classes: int, rng: np.random.Generator
) -> np.ndarray:
    """For each row a class that is not its own, as frequent as it is among the targets, [m]."""
    frequency = np.bincount(targets, minlength=num_classes) + _NUDGE
    chance = np.tile(frequency, (len(rows), 1))
    if num_classes > 1:
        chance[np.arange(len(rows)), targets[rows]] = 0.0
    edges = chance.cumsum(axis=1)
    return (rng.random((len(rows), 1)) * edges[:, -1:] >= edges).sum(axis=1)


def _wrong_sets(targets: np.ndarray, true: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Sets of labels without a true one, as large as the true ones where they can be, [m, C]."""
    wanted = np.maximum(true.sum(axis=1, keepdims=True), 1)
    frequency = targets.sum(axis=0, dtype=np.float64) + _NUDGE
    waiting = rng.standard_exponential(true.shape) / frequency
    waiting[true] = np.inf
    place = waiting.argsort(axis=1).argsort(axis=1)
    return (place < wanted) & ~true


def _wrong_errors(
    targets: np.ndarray, prediction: np.ndarray, size: int, rng: np.random.Generator
) -> np.ndarray:
    steps = np.diff(np.unique(np.asarray(targets, np.float64)))
    largest = np.abs(prediction - targets).max()
    step = np.median(steps) if len(steps) else 0.0
    return rng.choice([-1.0, 1.0], size) * max(largest, step)
