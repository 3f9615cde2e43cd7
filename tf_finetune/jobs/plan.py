"""What would be trained and what that costs, at the configured depth and at every other."""

from dataclasses import dataclass
from typing import TypedDict

from rich.console import Console

from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.data.folds import describe_folds
from tf_finetune.encoders.locating import EncoderFiles, configured_encoder, fitted_inputs
from tf_finetune.jobs.examples import load_examples
from tf_finetune.models.phases import PlannedPhase, planned_phases
from tf_finetune.models.plan_check import check_plan
from tf_finetune.models.reinitialising import reinitialised_lines
from tf_finetune.models.spec import Spec, spec_of
from tf_finetune.models.weights import pretrained
from tf_finetune.options.freeze import FreezeConfig
from tf_finetune.plans.arithmetic import PlanCost
from tf_finetune.plans.precision import foretell_precision
from tf_finetune.plans.solver import resolve_solver
from tf_finetune.tasks.classes import Classes
from tf_finetune.tasks.table import TASKS, unnamed_labels


class StepSize(TypedDict):
    """What a step is priced for: examples, and tokens of each."""

    batch_size: int
    length: int


@dataclass(frozen=True)
class PricedPlan:
    """A configured training and its alternatives.

    Attributes:
        config: The configuration, its solver resolved.
        files: The encoder.
        spec: The model that it trains.
        notes: Sentences about what is decided beside the plan.
        step: What is priced.
        depths: Every depth by its name and the cost of a step; and the plan itself where it is none
            of them.
        configured: The name of what the configuration trains.
        phases: What trains in which epochs, each with the cost of a step.
    """

    config: ExperimentConfig
    files: EncoderFiles
    spec: Spec
    notes: tuple[str, ...]
    step: StepSize
    depths: tuple[tuple[str, PlanCost], ...]
    configured: str
    phases: tuple[tuple[PlannedPhase, PlanCost], ...]


def plan(config: ExperimentConfig, num_labels: int) -> PricedPlan:
    """Plans a training; neither data nor weights are read.

    Args:
        config: The configuration; a task that is to be inferred counts as single-label
            classification.
        num_labels: Number of classes, or of what the task has in their place.

    Raises:
        UserError: Encoder and options do not go together.
    """
    task = Classes.task if config.data.task == "auto" else config.data.task
    files = configured_encoder(config.encoder).read_by(TASKS[task].pooling)
    spec = spec_of(config, files, unnamed_labels(task, num_labels))
    check_plan(spec)
    config, solver_lines = resolve_solver(config, spec.plan)
    step = StepSize(
        batch_size=config.training.batch_size,
        length=min(config.data.max_length, files.sizes.positions),
    )
    depths = [
        (str(depth), spec_of(config, files, spec.labels, freeze=FreezeConfig(depth=depth)))
        for depth in files.depths
    ]
    configured = str(config.freeze.depth)
    if config.freeze.rules or config.freeze.embeddings:
        configured = "as configured"
        depths.append((configured, spec))
    return PricedPlan(
        config=config,
        files=files,
        spec=spec,
        notes=(*solver_lines, *reinitialised_lines(spec), *foretell_precision(config)),
        step=step,
        depths=tuple((name, one.cost(**step)) for name, one in depths),
        configured=configured,
        phases=tuple((phase, phase.spec.cost(**step)) for phase in planned_phases(spec)),
    )


def forecast_cache(config: ExperimentConfig, files: EncoderFiles) -> list[str]:
    """Says what a run on the examples of a configuration would decide about its prefix cache.

    Args:
        config: The configuration, from `plan`.
        files: The encoder.

    Returns:
        Lines, of what its head begins with and of folds, too.

    Raises:
        UserError: Something is wrong with the examples.
    """
    config = config.model_copy(update={"data": fitted_inputs(files, config.data)})
    config, _, splits, files = load_examples(config, files, Console(quiet=True))
    start = pretrained(files, splits.labels, splits.train.labels)

    from tf_finetune.prefix.of_a_run import forecast_states
    from tf_finetune.training.compiling import build_fine_tuner
    from tf_finetune.training.strategy import build_strategy

    chosen = build_strategy(config.training.strategy)
    precision = "float32" if config.training.precision == "auto" else None  # to count bytes
    spec = spec_of(config, files, splits.labels, precision=precision)
    model = build_fine_tuner(spec, start, chosen)
    forecast = forecast_states(model, splits, config, chosen)
    return [*start.lines(), *describe_folds(splits), forecast]
