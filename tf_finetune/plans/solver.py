"""How the trained variables find their values: in steps, or, of the head alone, exactly.

Where nothing but the dense layer of the head trains, training is a convex problem on vectors
that never change. Its optimum can be computed, and learning rate, epochs and seed mean nothing.
"""

import json
from typing import Any, NamedTuple

from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.errors import UserError
from tf_finetune.options.marks import Mark
from tf_finetune.plans.freezing import FreezePlan
from tf_finetune.tasks.labels import LabelSpace
from tf_finetune.tasks.table import TASKS


class ResolvedSolver(NamedTuple):
    """What `training.solver` means for a plan.

    Attributes:
        config: The configuration, with steps or exact in place of auto.
        lines: What to tell of it.
    """

    config: ExperimentConfig
    lines: tuple[str, ...] = ()


def trains_head_alone(plan: FreezePlan) -> bool:
    """Whether a dense layer is the whole head, and all of it and no more trains.

    A head of several layers is not convex.
    """
    head = [row.path for row in plan.rows if row.part == "head"]
    return _is_one_layer(head) and plan.trainable_paths == set(head)


def _is_one_layer(paths: list[str]) -> bool:
    return len({path.rpartition("/")[0] for path in paths}) == 1


def resolve_solver(
    config: ExperimentConfig, plan: FreezePlan, task: type[LabelSpace] | None = None
) -> ResolvedSolver:
    """Decides how a plan is trained.

    Args:
        config: The configuration.
        plan: What trains.
        task: What the head answers; None: that of `data.task`, if it says one.

    Raises:
        UserError: `training.solver` is exact and more than the head trains, or an option is set
            that means something for steps alone.
    """
    if task is None and config.data.task != "auto":
        task = TASKS[config.data.task]
    wanted, stepwise = config.training.solver, _stepwise(config)
    is_convex = task is None or task.has_exact_head
    alone = trains_head_alone(plan) and is_convex
    if wanted == "exact":
        problems = [] if alone else [_why_not_exact(plan) if is_convex else _NOT_CONVEX]
        problems += [
            f"{name}: received {json.dumps(value)}, which training.solver=exact has no use for; "
            f"accepted: {json.dumps(usual)}, or training.solver=steps"
            for name, value, usual in stepwise
        ]
        if problems:
            raise UserError(problems)
    solver = wanted
    if wanted == "auto":
        solver = "exact" if alone and not stepwise else "steps"
    training = config.training.model_copy(update={"solver": solver})
    lines: tuple[str, ...] = ()
    if solver == "exact":
        lines = (
            "solver: exact, as the head alone trains; learning rate, epochs, batches, optimiser "
            "and dropout do not apply, and every seed gives the same",
        )
    elif wanted == "auto" and alone:
        names = ", ".join(name for name, _, _ in stepwise)
        lines = (f"solver: steps, because of {names}; without, the head would be solved exactly",)
    return ResolvedSolver(config.model_copy(update={"training": training}), lines)


def solved_where_it_can_be(config: ExperimentConfig, task: type[LabelSpace]) -> ExperimentConfig:
    """The configuration of a search: in steps throughout where no head can be solved.

    Args:
        config: The configuration.
        task: What heads answer.

    Raises:
        UserError: `training.solver` is exact, and the task's heads cannot be solved.
    """
    if task.has_exact_head:
        return config
    if config.training.solver == "exact":
        raise UserError(_NOT_CONVEX)
    training = config.training.model_copy(update={"solver": "steps"})
    return config.model_copy(update={"training": training})


_NOT_CONVEX = (
    "training.solver: received exact, which solves a head that answers each state for itself, and "
    "this task answers those of a row together; accepted: auto, steps"
)


class _Stepwise(NamedTuple):
    name: str
    value: Any
    usual: Any


def _stepwise(config: ExperimentConfig) -> list[_Stepwise]:
    """Options that mean something for steps alone and are not as usual."""
    usual = ExperimentConfig().marked(Mark.STEPWISE)
    return [
        _Stepwise(name, value, usual[name])
        for name, value in config.marked(Mark.STEPWISE).items()
        if value != usual[name]
    ]


def stepwise_options(config: ExperimentConfig) -> list[str]:
    """Options, by dotted name, that mean something for steps alone and are not as usual."""
    return [option.name for option in _stepwise(config)]


def _why_not_exact(plan: FreezePlan) -> str:
    head = [row.path for row in plan.rows if row.part == "head"]
    others = sorted({row.part for row in plan.rows if row.trainable and row.part != "head"})
    if others:
        return (
            "training.solver: received exact, which solves the head alone, and of this plan "
            f"{', '.join(others)} would train too; accepted: auto, steps, or "
            f"freeze.depth={plan.num_layers} where the pooler is frozen by freeze.rules or passed "
            "by (encoder.pooling)"
        )
    why = "a part that is frozen" if _is_one_layer(head) else "several layers"
    return (
        "training.solver: received exact, which solves a head of one dense layer as a whole, and "
        f"this one has {why}; accepted: auto, steps"
    )
