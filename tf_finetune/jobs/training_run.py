"""A run from its devices and its folder to its report."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace

from rich.console import Console
from rich.text import Text

from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.data.loading import Splits
from tf_finetune.data.states import PrefixStates
from tf_finetune.errors import visible
from tf_finetune.jobs.training_inputs import TrainingInputs
from tf_finetune.models.phases import plan_of_run, planned_phases
from tf_finetune.models.reinitialising import reinitialised_lines
from tf_finetune.models.weights import new_variables
from tf_finetune.options.training import TrainingConfig
from tf_finetune.prefix.of_a_run import cached_states
from tf_finetune.reports.plan_tables import plan_markdown, render_phases, render_plan
from tf_finetune.reports.tensorboard import write_plan_text
from tf_finetune.runs.calibration import calibrated
from tf_finetune.runs.directory import join_run, prepare_run
from tf_finetune.runs.model_folder import write_model_folder
from tf_finetune.runs.phases import phases_of_run
from tf_finetune.runs.precision import build_for_run
from tf_finetune.runs.run_report import write_run_report
from tf_finetune.runs.scoring import score_splits
from tf_finetune.runs.threshold import chosen_threshold, with_threshold
from tf_finetune.storage.run_directory import RunDirectory
from tf_finetune.training.batch_shapes import training_shape
from tf_finetune.training.device_precision import check_precision
from tf_finetune.training.fine_tuner import FineTuner
from tf_finetune.training.fine_tuning import Outputs, fine_tune
from tf_finetune.training.job_description import describe_job, job_digest
from tf_finetune.training.multi_worker import MEETING_SECONDS
from tf_finetune.training.option_checks import check_options
from tf_finetune.training.phases import Phase, reset_phases
from tf_finetune.training.rounds import TrainedRounds, train_rounds, without_early_stopping
from tf_finetune.training.run_result import RunResult
from tf_finetune.training.strategy import ChosenStrategy, build_strategy


@dataclass(frozen=True)
class _Begun:
    """A run that has its devices and its folder.

    Attributes:
        inputs: What is trained on what.
        config: The configuration as it is kept in the folder.
        splits: The data, labels decided at the threshold of the options.
        chosen: The devices.
        run: The folder.
        console: Where this process tells; quiet where another one does.
    """

    inputs: TrainingInputs
    config: ExperimentConfig
    splits: Splits
    chosen: ChosenStrategy
    run: RunDirectory
    console: Console

    def tell(self, *lines: str) -> None:
        """Prints lines in which a user's own words may stand."""
        for line in lines:
            self.console.print(Text(visible(line)), soft_wrap=True)

    def say(self, *lines: str) -> None:
        """Prints lines of ours, as they are."""
        for line in lines:
            self.console.print(line, highlight=False, markup=False, soft_wrap=True)


@dataclass(frozen=True)
class _Built:
    """Its model, ready to be trained.

    Attributes:
        config: The configuration, its precision resolved.
        model: Compiled, as it is before fine-tuning.
        phases: Of a run whose frozen depth changes.
        states: Of any other run, cached states by split.
        outputs: Where events and checkpoints go.
    """

    config: ExperimentConfig
    model: FineTuner
    phases: tuple[Phase, ...]
    states: Mapping[str, PrefixStates]
    outputs: Outputs


def run_training(
    inputs: TrainingInputs,
    claims: ExitStack,
    console: Console,
    started: float,
    on_begin: Callable[[RunDirectory], None],
) -> RunDirectory:
    """Trains what was loaded and writes what came of it; see `train`."""
    begun = _begin(inputs, claims, console)
    if begun.chosen.writes:
        on_begin(begun.run)
    with begun.chosen.says_who_is_lost():
        _describe(begun)
        built = _build(begun)
        rounds, training = None, built.config.training
        if begun.splits.folds is not None:
            rounds, training = _train_rounds(begun, built)
        result = _train_final(begun, built, training)
        if result.first_step_at is not None and rounds is None:
            line = f"first step after {result.first_step_at - started:.1f} s"
            begun.console.print(line, highlight=False)
        _write(begun, built.config, result, rounds)
    return begun.run


def _begin(inputs: TrainingInputs, claims: ExitStack, console: Console) -> _Begun:
    config = inputs.config
    check_options(config.training, inputs.splits, config.evaluation, [config.method])
    splits = with_threshold(inputs.splits, config.evaluation.threshold)
    digest = ""
    if config.training.strategy == "multi_worker":
        digest = job_digest(config, inputs.files, splits)
        console.print(
            f"waiting for the processes of TF_CONFIG, {MEETING_SECONDS:.0f} s at most",
            highlight=False,
        )
    chosen = build_strategy(config.training.strategy, digest)
    check_precision(config.training.precision, chosen)
    if chosen.writes:
        # From here on, nothing the user gave can be wrong.
        run, config = prepare_run(config, claims)
        run.write_json(run.plan, plan_of_run(inputs.phases))
        return _Begun(inputs, config, splits, chosen, run, console)
    # The chief writes and tells, this process only trains.
    run, config = join_run(config)
    line = f"devices: {chosen.reason}; see the chief's output"
    console.print(Text(visible(line)), soft_wrap=True)
    return _Begun(inputs, config, splits, chosen, run, Console(quiet=True))


def _describe(begun: _Begun) -> None:
    """Tells what is going to be trained, and what that takes."""
    inputs, config, splits = begun.inputs, begun.config, begun.splits
    begun.tell(f"encoder {inputs.files.name}, run directory {begun.run.path}")
    for line in inputs.files.lines():
        begun.console.print(line, highlight=False, markup=False, soft_wrap=True)
    render_plan(begun.console, inputs.phases[-1].spec.plan)  # what trains in the end
    step = {"batch_size": config.training.batch_size, "length": splits.train.mean_length}
    priced = [(phase, phase.spec.cost(**step)) for phase in inputs.phases]
    render_phases(begun.console, priced, **step)
    packs = not splits.labels.joins_reads
    method, length = config.method, config.data.max_length
    shape = training_shape(config.training, length, begun.chosen, method, packs=packs)
    costs = [(phase.epochs, cost) for phase, cost in priced]
    begun.say(*inputs.notes)
    begun.say(*describe_job(config.training, method, splits, costs, shape, begun.chosen))


def _build(begun: _Begun) -> _Built:
    inputs, run, splits, chosen = begun.inputs, begun.run, begun.splits, begun.chosen
    spec, start = inputs.spec, inputs.start
    config, model, precision_lines = build_for_run(run, begun.config, spec, splits, start, chosen)
    begun.say(*precision_lines)
    new = new_variables(spec, start)
    begun.console.print(f"new variables: {', '.join(new) or 'none'}", highlight=False)
    begun.tell(*reinitialised_lines(spec), *start.lines())
    events = run.events if config.run.tensorboard and chosen.writes else None
    if events is not None:
        write_plan_text(events, plan_markdown(inputs.phases[-1].spec.plan))
    planned = planned_phases(replace(spec, config=config))
    phases = phases_of_run(planned, model, splits, chosen, begun.console)
    states: Mapping[str, PrefixStates] = {}
    if not phases:
        states = cached_states(model, splits, config, chosen, begun.console)
    return _Built(config, model, phases, states, Outputs(events, run.checkpoints))


def _train_rounds(begun: _Begun, built: _Built) -> tuple[TrainedRounds, TrainingConfig]:
    """Trains once a fold; says how the final model is trained, and takes the model back to it."""
    rounds = train_rounds(
        built.model,
        begun.splits,
        built.config,
        begun.chosen,
        states=built.states,
        outputs=built.outputs,
        console=begun.console,
        phases=built.phases,
    )
    training = without_early_stopping(built.config.training, rounds.histories, begun.splits.labels)
    epochs = "" if training.solver == "exact" else f"epochs: {training.epochs}, "
    line = f"final model: {epochs}on all {len(begun.splits.train):,} examples"
    begun.console.print(line, highlight=False)
    reset_phases(built.model, built.phases, training.seed)
    return rounds, training


def _train_final(begun: _Begun, built: _Built, training: TrainingConfig) -> RunResult:
    return fine_tune(
        built.model,
        replace(begun.splits, folds=None),
        training,
        built.config.evaluation,
        max_length=built.config.data.max_length,
        chosen=begun.chosen,
        states=built.states,
        outputs=built.outputs,
        console=begun.console,
        phases=built.phases,
    )


def _write(
    begun: _Begun, config: ExperimentConfig, result: RunResult, rounds: TrainedRounds | None
) -> None:
    """Scores the model; the process that writes keeps it and its report."""
    run, chosen = begun.run, begun.chosen
    out_of_fold = None if rounds is None else rounds.logits
    result, splits, out_of_fold, lines = calibrated(
        result, begun.splits, config, chosen, out_of_fold
    )
    begun.say(*lines)
    result, splits = chosen_threshold(result, splits, config, chosen, out_of_fold)
    if chosen.writes:
        write_model_folder(
            run.model,
            result.model.classifier,
            begun.inputs.tokenizer,
            splits.labels,
            max_length=config.data.max_length,
        )
    reports = score_splits(result, splits, config, chosen, out_of_fold)
    if chosen.writes:
        write_run_report(run, result, reports, splits, config, begun.console, rounds)
