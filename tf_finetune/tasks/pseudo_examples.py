"""Examples that nobody saw but that are possible: answered rightly, or wrongly.

A set in which every answer is right holds no example of a mistake, so resampling it never
makes one. One example more, answered wrongly, is what an interval then has to allow for.
"""

from typing import Literal

import numpy as np

Kind = Literal["right", "wrong"]
# A wrong answer stands for many: so many are made, and each resample takes one of them.
MOST_EXAMPLES = 64
_NUDGE = 1e-6


def pseudo_classes(
    targets: np.ndarray, logits: np.ndarray, kind: Kind, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Copies whose highest logit changes places with that of the right or of a wrong class.

    Every class that occurs among targets or answers is as likely as any other, because a rare
    one is what little is known of. One that was only ever answered becomes a copy's target. A
    wrong class is one that another example has.

    Args:
        targets: Class of each of n examples, int [n].
        logits: Finite outputs, float [n, C].
        kind: What becomes of the answers.
        seed: Draws the examples, and what is wrong about them: those of several models that
            answer with the same classes are the same examples.

    Returns:
        Targets and outputs of min(n, `MOST_EXAMPLES`) examples, shaped as the given ones.
    """
    rng = np.random.default_rng(seed)
    seen = np.unique(np.concatenate([targets, logits.argmax(axis=-1)]))
    rows, classes = _copied(targets[:, None] == seen, rng)
    goal = seen[classes].astype(targets.dtype)
    answers = np.array(logits[rows], np.float64)
    others = _other_classes(targets, goal, logits.shape[1], rng)
    _answer_class(answers, others if kind == "wrong" else goal)
    return goal, answers


def pseudo_sets(
    targets: np.ndarray, given: np.ndarray, logits: np.ndarray, kind: Kind, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Copies in which every decision keeps its confidence and becomes the right or a wrong one.

    Wrong is to miss all true labels and to give as many others (at least one), the frequent
    ones first. Otherwise as `pseudo_classes`.

    Args:
        targets: Of 0 and 1, [n, C].
        given: What was answered, of 0 and 1, [n, C].
        logits: Finite outputs above 0 where a label applies, float [n, C].
        kind: What becomes of the answers.
        seed: As of `pseudo_classes`.
    """
    rng = np.random.default_rng(seed)
    seen = np.flatnonzero(np.concatenate([targets, given]).any(axis=0))
    if len(seen):
        rows, classes = _copied(targets[:, seen] > 0, rng)
        goal = targets[rows]
        goal[np.arange(len(rows)), seen[classes]] = 1
    else:
        rows = _any_rows(len(targets), rng)
        goal = targets[rows]
    answered = _wrong_sets(targets, goal > 0, rng) if kind == "wrong" else goal > 0
    size = np.maximum(np.abs(np.array(logits[rows], np.float64)), _NUDGE)
    return goal, np.where(answered, size, -size)


def pseudo_values(
    targets: np.ndarray, answers: np.ndarray, kind: Kind, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Copies whose answer is the target, or misses it by the largest error, up or down.

    By one step between neighbouring targets if that is more. Otherwise as `pseudo_classes`, with
    `answers` float64 [n].
    """
    rng = np.random.default_rng(seed)
    rows = _any_rows(len(targets), rng)
    error = _wrong_errors(targets, answers, len(rows), rng)
    return targets[rows], targets[rows] + (error if kind == "wrong" else 0.0)


def _any_rows(n: int, rng: np.random.Generator) -> np.ndarray:
    return rng.choice(n, min(n, MOST_EXAMPLES), replace=False)


def _copied(has: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Examples to copy, [m], and the class of each copy, [m], from who has which, [n, classes]."""
    n, num_classes = has.shape
    size = min(n, MOST_EXAMPLES)
    classes = rng.choice(num_classes, size)
    anyone = rng.integers(n, size=size)
    rows = np.empty(size, np.intp)
    for place, one in enumerate(classes):
        having = np.flatnonzero(has[:, one])
        rows[place] = rng.choice(having) if len(having) else anyone[place]
    return rows, classes


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
