"""What a training needs, loaded and held against each other without TensorFlow."""

from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.console import Console

from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.data.loading import Splits
from tf_finetune.encoders.locating import EncoderFiles, fitted_inputs
from tf_finetune.jobs.configured_files import configured_files
from tf_finetune.jobs.examples import load_examples
from tf_finetune.machine.cluster import check_cluster
from tf_finetune.models.phases import PlannedPhase, planned_phases
from tf_finetune.models.plan_check import check_plan
from tf_finetune.models.spec import Spec, spec_of
from tf_finetune.models.weights import Pretrained, check_new_trains, pretrained
from tf_finetune.plans.rates import resolve_rate
from tf_finetune.plans.solver import resolve_solver
from tf_finetune.runs.directory import check_run

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast


@dataclass(frozen=True)
class TrainingInputs:
    """What is trained, on what, from where.

    Attributes:
        config: The configuration; what data, encoder and plan decide is filled in.
        files: The encoder.
        tokenizer: That of the encoder.
        splits: The data.
        spec: The model as it begins.
        phases: What trains in which epochs.
        start: The values that it begins with.
        notes: What was decided for the user, to be told before training.
    """

    config: ExperimentConfig
    files: EncoderFiles
    tokenizer: "PreTrainedTokenizerFast"
    splits: Splits
    spec: Spec
    phases: tuple[PlannedPhase, ...]
    start: Pretrained
    notes: tuple[str, ...]


def load_training_inputs(
    config: ExperimentConfig, claims: ExitStack, console: Console
) -> TrainingInputs:
    """Checks what is asked for, then reads the data.

    Args:
        config: The configuration.
        claims: Keeps other processes out of `run.dir` until it is closed.
        console: Where reading is told.

    Raises:
        UserError: Something is not as it should be. What is known without the data is told
            before they are read.
    """
    files = configured_files(config)
    spec = spec_of(config, files)
    check_plan(spec)
    check_new_trains(spec)
    wanted = config.training
    config, _ = resolve_solver(config, spec.plan)
    config = config.model_copy(update={"data": fitted_inputs(files, config.data)})
    cluster = check_cluster(config.training.strategy)
    check_run(config, claims, writes=cluster is None or cluster.is_chief)
    config, tokenizer, splits, files = load_examples(config, files, console)
    # The data may have said what the task is, and so what is read and whether a pooler trains.
    spec = spec_of(config, files, splits.labels)
    config = config.model_copy(update={"training": wanted})
    config, solver_lines = resolve_solver(config, spec.plan, type(splits.labels))
    config, rate_lines = resolve_rate(config, spec.plan, len(splits.train))
    spec = spec_of(config, files, splits.labels)
    return TrainingInputs(
        config=config,
        files=files,
        tokenizer=tokenizer,
        splits=splits,
        spec=spec,
        phases=planned_phases(spec),
        start=pretrained(files, splits.labels, splits.train.labels),
        notes=(*solver_lines, *rate_lines),
    )
