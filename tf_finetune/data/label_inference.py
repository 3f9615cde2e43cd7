"""Find out from the training labels what is to be predicted."""

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np

from tf_finetune.config.sections import DataConfig
from tf_finetune.data.labels import LabelSpace, RawLabels, Task, as_integer, as_number
from tf_finetune.data.sources.problems import Problems, show

MOST_INTEGER_CLASSES = 20
_CODE = re.compile(r"0\d", re.ASCII)  # a leading zero makes a code of a number


def infer_labels(
    config: DataConfig, train: RawLabels, held_out: Sequence[RawLabels] = ()
) -> LabelSpace:
    """The label space of a job, from its options and its training labels.

    Args:
        config: The `data` section; `task` and `label_names` decide where they are set.
        train: All labels of the training source.
        held_out: Labels of validation and test sources, which must fit in.

    Returns:
        The space. Putting its task and names into the `data` section and inferring again
        gives an equal one.

    Raises:
        UserError: If a label does not fit in, or there is nothing to tell apart.
    """
    task = _infer_task(config, train) if config.task == "auto" else config.task
    problems = Problems()
    names: tuple[str, ...] = ()
    if task != "regression":
        names = config.label_names or _infer_names(train)
        _check_names(task, names, train, problems)
    elif config.label_names is not None:
        problems.add(
            f"data.label_names: received {len(config.label_names)} names, but data.task is "
            "regression; accepted: null"
        )
    labels = LabelSpace(task, names)
    targets = labels.encode_collecting(train, problems)
    if not problems.count:
        _check_targets(labels, targets, train, problems)
    for raw in held_out:
        labels.encode_collecting(raw, problems)
    problems.check()
    return labels


def _infer_task(config: DataConfig, train: RawLabels) -> Task:
    if train.are_lists():
        return "multi_label"
    if config.label_names is not None:
        return "single_label"
    distinct, _, _ = train.distinct()
    if any(as_number(label) is None or _CODE.match(label) for label in distinct):
        return "single_label"
    integers = all(as_integer(label) is not None for label in distinct)
    return "single_label" if integers and len(distinct) <= MOST_INTEGER_CLASSES else "regression"


def _infer_names(train: RawLabels) -> tuple[str, ...]:
    distinct, _, _ = train.distinct()
    integers = {integer for label in distinct if (integer := as_integer(label)) is not None}
    if any(as_integer(label) is None for label in distinct):
        return tuple(sorted(distinct))
    return tuple(map(str, sorted(integers)))


def _check_names(task: Task, names: tuple[str, ...], train: RawLabels, problems: Problems) -> None:
    fewest = 2 if task == "single_label" else 1
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
    if labels.task == "multi_label" or np.any(targets != targets[0]):
        return
    if labels.task == "regression":
        same, accepted = f"target {targets[0]:g}", "targets that differ"
    else:
        same, accepted = f"label {show(labels.names[targets[0]])}", "at least 2 classes"
    problems.add(
        f"{train.source}: received the {same} in all {len(targets):,} rows; accepted: {accepted}"
    )
