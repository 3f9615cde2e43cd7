"""Examples that nobody saw but that are possible: answered rightly, or wrongly.

A set in which every answer is right holds no example of a mistake, so resampling it never
makes one. One example more, answered wrongly, is what an interval then has to allow for.
"""

from typing import Literal

import numpy as np

from tf_finetune.tasks.labels import LabelSpace
from tf_finetune.tasks.metrics import predicted

Kind = Literal["right", "wrong"]
# A wrong answer stands for many: so many are made, and each resample takes one of them.
MOST_EXAMPLES = 64
_NUDGE = 1e-6


def pseudo_examples(
    labels: LabelSpace, targets: np.ndarray, logits: np.ndarray, kind: Kind, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Copies of random examples whose answers are made right or wrong.

    Every class that occurs among targets or answers is as likely as any other, because a rare
    one is what little is known of. One that was only ever answered becomes a copy's target.

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
        seed: Draws the examples, and what is wrong about them: those of several models that
            answer with the same classes are the same examples.

    Returns:
        Targets and outputs of m = min(n, `MOST_EXAMPLES`) examples, shaped as the given ones.
    """
    rng = np.random.default_rng(seed)
    prediction = predicted(labels, logits)
    rows, goal = _copied(labels, targets, prediction, rng)
    if labels.task == "regression":
        error = _wrong_errors(targets, prediction, len(rows), rng)
        numbers = goal + (error if kind == "wrong" else 0.0)
        return goal, numbers.reshape(len(rows), *logits.shape[1:])
    answers = np.array(logits[rows], np.float64)
    if labels.task == "single_label":
        others = _other_classes(targets, goal, labels.num_outputs, rng)
        _answer_class(answers, others if kind == "wrong" else goal)
    else:
        given = _wrong_sets(targets, goal > 0, rng) if kind == "wrong" else goal > 0
        size = np.maximum(np.abs(answers), _NUDGE)
        answers = np.where(given, size, -size)
    return goal, answers


def _copied(
    labels: LabelSpace, targets: np.ndarray, prediction: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Indices of the examples to copy, [m], and the copies' targets."""
    size = min(len(targets), MOST_EXAMPLES)
    both = np.concatenate([targets, prediction])
    if labels.task == "single_label":
        seen = np.unique(both)
    elif labels.task == "multi_label":
        seen = np.flatnonzero(both.any(axis=0))
    if labels.task == "regression" or not len(seen):
        rows = rng.choice(len(targets), size, replace=False)
        return rows, targets[rows]
    classes = rng.choice(seen, size)
    anyone = rng.integers(len(targets), size=size)
    rows = np.empty(size, np.intp)
    for place, one in enumerate(classes):
        having = np.flatnonzero(targets == one if targets.ndim == 1 else targets[:, one])
        rows[place] = rng.choice(having) if len(having) else anyone[place]
    if labels.task == "single_label":
        return rows, classes.astype(targets.dtype)
    goal = targets[rows]
    goal[np.arange(size), classes] = 1
    return rows, goal


def _answer_class(answers: np.ndarray, goal: np.ndarray) -> None:
    """Makes the highest of answers [m, C] that of the class `goal` [m]."""
    at = np.arange(len(answers))
    top = answers.argmax(axis=1)
    highest = answers[at, top]
    answers[at, top] = answers[at, goal]
    answers[at, goal] = highest + _NUDGE * (1.0 + np.abs(highest))  # above any equal one


def _other_classes(
    targets: np.ndarray, goal: np.ndarray, num_classes: int, rng: np.random.Generator
) -> np.ndarray:
    """For each of [m] a class that is not its own, as frequent as among the targets, [m]."""
    frequency = np.bincount(targets, minlength=num_classes) + _NUDGE
    chance = np.tile(frequency, (len(goal), 1))
    if num_classes > 1:
        chance[np.arange(len(goal)), goal] = 0.0
    edges = chance.cumsum(axis=1)
    return (rng.random((len(goal), 1)) * edges[:, -1:] >= edges).sum(axis=1)


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
