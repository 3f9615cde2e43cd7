"""The tasks there are, by the name that `data.task` takes."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tf_finetune.errors import UserError
from tf_finetune.lazy_table import LazyTable

if TYPE_CHECKING:
    from tf_finetune.tasks.labels import LabelSpace

# A configuration is checked before anything that a task needs is imported.
TASKS: "LazyTable[type[LabelSpace]]" = LazyTable(
    {
        "single_label": "tf_finetune.tasks.classes.Classes",
        "multi_label": "tf_finetune.tasks.several_classes.SeveralClasses",
        "regression": "tf_finetune.tasks.values.Values",
        "token_classification": "tf_finetune.tasks.tags.tags.Tags",
        "span": "tf_finetune.tasks.spans.spans.Spans",
        "relation": "tf_finetune.tasks.relations.Relations",
        "multiple_choice": "tf_finetune.tasks.choices.Choices",
    }
)

# What a task may be unable to do, in words behind "are not".
UNABLE = {
    "explain": "explained",
    "export": "exported",
    "serve": "served",
    "preflight": "checked for a TPU",
    "profile": "profiled",
    "rank": "asked which texts to label next",
    "keras": "made by themselves",
    "check": "checked with changed texts",
    "suspects": "asked for suspect labels",
}

# In config.json, the task of a model whose `problem_type` is also that of an earlier task above.
TASK = "label_task"


def task_of(config: Mapping[str, Any]) -> "type[LabelSpace] | None":
    """The task of a model by its config.json; None if it names none that there is."""
    if TASK in config:
        return TASKS.get(str(config[TASK]))
    return _by_problem_type().get(str(config.get("problem_type", "")))


def problem_type(labels: "LabelSpace") -> dict[str, str]:
    """What config.json tells of a model's task."""
    told = {"problem_type": labels.problem_type}
    if _by_problem_type().get(labels.problem_type) is not type(labels):
        told[TASK] = labels.task
    return told


def check_able(task: str, what: str, option: str = "data.task") -> None:
    """Refuses what cannot be done with a task.

    Args:
        task: Its name.
        what: One of `UNABLE`.
        option: What names it.

    Raises:
        UserError: The task is unable to.
    """
    if what in TASKS[task].unable:
        able = ", ".join(name for name, one in TASKS.items() if what not in one.unable)
        raise UserError(
            f"{option}: received {task}, whose models are not {UNABLE[what]}; accepted: {able}"
        )


def check_calibrates(task: str, option: str) -> None:
    """Refuses to ask a task whose answers have no confidence how sure they are.

    Args:
        task: Its name.
        option: What asks.

    Raises:
        UserError: Its answers have none.
    """
    if not TASKS[task].calibrates:
        able = ", ".join(name for name, one in TASKS.items() if one.calibrates)
        raise UserError(
            f"{option}: a {task} task has no one probability of an answer; accepted with: {able}"
        )


def _by_problem_type() -> "dict[str, type[LabelSpace]]":
    """The first task of each `problem_type`."""
    return {task.problem_type: task for task in reversed([*TASKS.values()])}


def unnamed_labels(task: str, count: int) -> "LabelSpace":
    """So many outputs whose names are not known."""
    kind = TASKS[task]
    return kind(tuple(map(str, range(count))) if kind.fewest_names else ())
