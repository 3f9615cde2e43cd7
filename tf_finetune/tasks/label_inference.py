"""Find out from the training labels what is to be predicted."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from tf_finetune.options.data import DataConfig
from tf_finetune.sources.numbers import as_integer, as_number, canonical, is_missing
from tf_finetune.sources.problems import Problems, show
from tf_finetune.tasks.classes import Classes
from tf_finetune.tasks.labels import LabelSpace
from tf_finetune.tasks.raw_labels import RawLabels
from tf_finetune.tasks.table import TASKS
from tf_finetune.tasks.task_guess import Guess, guess_task


def infer_labels(
    config: DataConfig, train: RawLabels, held_out: Sequence[RawLabels] = ()
) -> LabelSpace:
    """The label space of a job, from its options and its training labels.

    Args:
        config: The `data` section; `task`, `label_names` and `decimal_mark` decide where they
            are set.
        train: All labels of the training source.
        held_out: Labels of validation and test sources, which must fit in.

    Returns:
        The space. Putting what it says into the `data` section and inferring again gives an
        equal one.

    Raises:
        UserError: If a label does not fit in, or there is nothing to tell apart.
    """
    if config.task != "auto":
        train = TASKS[config.task].prepared(train, config.label_names or ())
    guess = guess_task(config, train)
    task = _task(config, guess)
    problems = Problems()
    names: tuple[str, ...] = ()
    if TASKS[task].fewest_names:
        names = config.label_names or config.label_columns or _infer_names(train, guess, problems)
        names = TASKS[task].arranged(names)
        _check_names(task, names, train, problems)
    elif config.label_names is not None:
        problems.add(
            f"data.label_names: received {len(config.label_names)} names, but data.task is "
            f"{task}; accepted: null"
        )
    mark = guess.decimal_mark if config.decimal_mark == "auto" else config.decimal_mark
    labels = TASKS[task](names, mark)
    targets = labels.encode_collecting(train, problems)
    if not problems.count:
        labels = labels.fitted(targets)
        _check_targets(labels, targets, train, problems)
    for raw in held_out:
        labels.encode_collecting(raw, problems)
    problems.check()
    return labels


def _task(config: DataConfig, guess: Guess) -> str:
    if config.task != "auto":
        return config.task
    # Numbers that have names are numbers of classes.
    named = config.label_names is not None and not TASKS[guess.task].fewest_names
    return Classes.task if named else guess.task


def _infer_names(train: RawLabels, guess: Guess, problems: Problems) -> tuple[str, ...]:
    """The names that the training labels hold; missing labels among numbers are none."""
    if train.width is not None:
        return tuple(map(str, range(train.width)))
    distinct = train.distinct[0]
    if train.are_lists():
        _check_soft_labels(train, problems)
        if all(as_integer(label) is not None for label in distinct):
            return tuple(map(str, sorted({int(canonical(label)) for label in distinct})))
        return tuple(sorted(distinct))
    if not guess.numbers:
        return tuple(sorted(distinct))
    mark = guess.decimal_mark
    names = {canonical(label, mark) for label in distinct if not is_missing(label)}
    return tuple(sorted(names, key=lambda name: (as_number(name) or 0.0, name)))


def _check_soft_labels(train: RawLabels, problems: Problems) -> None:
    """Notes lists of probabilities or scores, which no task here takes."""
    distinct, which, texts = train.distinct
    if any(as_number(label) is None for label in distinct):
        return
    broken = [index for index, label in enumerate(distinct) if as_integer(label) is None]
    if broken:
        row = train.rows[texts[np.argmax(which == broken[0])]]
        problems.add(
            f"{train.source}, row {row}: received a list with the number {distinct[broken[0]]}; "
            "accepted: lists of names, or of 0 and 1"
        )


def _check_names(task: str, names: tuple[str, ...], train: RawLabels, problems: Problems) -> None:
    fewest = TASKS[task].fewest_names
    if len(names) < fewest:
        shown = ", ".join(map(show, names)) or "none"
        noun = "class" if len(names) == 1 else "classes"
        problems.add(
            f"{train.source}: received {len(names)} {noun} ({shown}); accepted: at least {fewest}"
        )
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        problems.add(
            f"data.label_names: received {', '.join(map(show, repeated))} more than once; "
            "accepted: distinct names"
        )


def _check_targets(
    labels: LabelSpace, targets: np.ndarray, train: RawLabels, problems: Problems
) -> None:
    found = labels.same_in_all(targets)
    if found is not None:
        same, accepted = found
        problems.add(
            f"{train.source}: received the {same} in all {len(targets):,} rows; accepted: "
            f"{accepted}"
        )
