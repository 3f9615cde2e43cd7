"""Guesses the task of labels that are numbers, and says why."""

from collections import Counter
from dataclasses import dataclass

import numpy as np

from tf_finetune.options.data import DataConfig
from tf_finetune.sources.numbers import (
    DecimalMark,
    as_integer,
    as_number,
    decimal_mark_of,
    is_missing,
    numbered_like_sections,
    padded_number,
)
from tf_finetune.sources.problems import show
from tf_finetune.tasks.classes import Classes
from tf_finetune.tasks.raw_labels import RawLabels
from tf_finetune.tasks.several_classes import SeveralClasses
from tf_finetune.tasks.values import Values

FEW_INTEGERS = 20  # that many different ones are classes, however they lie
DENSE_SHARE = 0.5  # of the integers from the least to the greatest
REPEATS = 3  # what a class needs to be in training, validation and test examples
REPEATING_SHARE = 0.9  # of the integers; a few classes may be rare


@dataclass(frozen=True)
class Guess:
    """What labels are taken for.

    Attributes:
        task: What is predicted.
        decimal_mark: What begins the decimals of labels that are numbers.
        numbers: Whether the labels are numbers, targets or numbers of classes, and not names.
        reason: Why numbers decided, with the option that changes it; "" if they did not.
    """

    task: str
    decimal_mark: DecimalMark = "point"
    numbers: bool = False
    reason: str = ""


def guess_task(config: DataConfig, train: RawLabels) -> Guess:
    """Guesses what is to be predicted from the training labels.

    Args:
        config: The `data` section; its own `task` is not looked at.
        train: All labels of the training source.
    """
    if train.are_lists():
        return Guess(SeveralClasses.task)
    distinct, which, _ = train.distinct
    labels = [label for label in distinct if not is_missing(label)]
    mark = _mark(config, labels)
    if mark is None or not labels:
        return Guess(Classes.task, reason=_why_names(config, labels))
    counts = np.bincount(which, minlength=len(distinct))
    code = padded_number(labels, mark)
    if code is None and _repeats(counts):
        code = numbered_like_sections(labels, mark)
    if code is not None:
        why = f"labels such as {code} are codes, whose zeros must stay"
        return Guess(Classes.task, reason=_reason(Classes.task, why))
    integers: Counter[int] = Counter()
    for label, count in zip(distinct, counts.tolist(), strict=True):
        integer = as_integer(label, mark)
        if integer is None and not is_missing(label):
            why = f"the labels are numbers and not all whole, such as {_fraction(labels, mark)}"
            return Guess(Values.task, mark, numbers=True, reason=_reason(Values.task, why))
        if integer is not None:
            integers[integer] += count
    task, why = _of_integers(integers)
    return Guess(task, mark, numbers=True, reason=_reason(task, why))


def _fraction(labels: list[str], mark: DecimalMark) -> str:
    """The label that shows best why they are no whole numbers: 37 % rather than 0 %."""
    written_so = [label for label in labels if as_integer(label, mark) is None]
    numbers = ((label, as_number(label, mark)) for label in written_so)
    return next((label for label, number in numbers if number != int(number or 0)), written_so[0])


def _mark(config: DataConfig, labels: list[str]) -> DecimalMark | None:
    """The decimal mark that makes numbers of all labels; None if they are names."""
    if config.decimal_mark == "auto":
        return decimal_mark_of(labels)
    mark: DecimalMark = config.decimal_mark
    return mark if all(as_number(label, mark) is not None for label in labels) else None


def _of_integers(counts: Counter[int]) -> tuple[str, str]:
    least, greatest = min(counts), max(counts)
    seen = f"the labels are {len(counts):,} different whole numbers from {least} to {greatest}"
    if len(counts) <= FEW_INTEGERS:
        return Classes.task, seen
    if len(counts) < DENSE_SHARE * (greatest - least + 1):
        return Values.task, f"{seen} with many left out between them"
    if not _repeats(np.array(list(counts.values()))):
        return Values.task, f"{seen}, many of which occur less than {REPEATS} times"
    return Classes.task, f"{seen} with few left out between them, nearly all repeating"


def _repeats(counts: np.ndarray) -> bool:
    return bool(np.mean(counts >= REPEATS) >= REPEATING_SHARE)


def _reason(task: str, why: str) -> str:
    others = {
        Classes.task: f"data.task={Values.task} takes them for numbers to predict",
        Values.task: f"data.task={Classes.task} makes a class of each",
    }
    return f"data.task is taken to be {task}, because {why}; {others[task]}"


def _why_names(config: DataConfig, labels: list[str]) -> str:
    """Why labels are names though most of them are numbers; "" if they are not."""
    marks: tuple[DecimalMark, ...] = ("point", "comma")
    for mark in marks if config.decimal_mark == "auto" else (config.decimal_mark,):
        others = [label for label in labels if as_number(label, mark) is None]
        if len(others) < len(labels) / 2:
            return (
                f"data.task is taken to be {Classes.task}, because not all labels are numbers: "
                f"{show(others[0])} is not; without such rows they would be"
            )
    return ""
