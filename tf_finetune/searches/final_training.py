"""Trains the chosen cell once more, as `train` does, and keeps that model."""

import shutil
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from rich.console import Console

from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.config.saving import write_config
from tf_finetune.data.folds import scored_split
from tf_finetune.data.joined_split import join_splits
from tf_finetune.data.loading import Splits
from tf_finetune.evaluation.report import EvaluationReport
from tf_finetune.evaluation.temperature import fit_temperature
from tf_finetune.evaluation.threshold import choose_threshold
from tf_finetune.models.classifier import Classifier
from tf_finetune.plans.freezing import FreezePlan
from tf_finetune.prefix.of_a_run import cached_states
from tf_finetune.reports.plan_tables import plan_markdown, render_plan
from tf_finetune.reports.tensorboard import write_plan_text
from tf_finetune.results.trial import Cell
from tf_finetune.runs.calibration import calibrated, divided, with_temperature
from tf_finetune.runs.scoring import score_splits
from tf_finetune.runs.threshold import chosen_threshold, with_threshold
from tf_finetune.searches.running.records import TrialRecord
from tf_finetune.searches.running.runner import TrialRunner
from tf_finetune.searches.running.trial_request import TrialRequest
from tf_finetune.searches.session import SearchJob
from tf_finetune.tasks.labels import LabelSpace
from tf_finetune.training.fine_tuning import Outputs, fine_tune
from tf_finetune.training.rounds import without_early_stopping
from tf_finetune.training.run_result import RunResult
from tf_finetune.training.strategy import ChosenStrategy, build_strategy


class FinalModel(NamedTuple):
    """The model that a search hands over.

    Attributes:
        request: The chosen cell with the first seed.
        config: The configuration it was trained with.
        plan: Its freeze plan.
        classifier: The model.
        run: Its training.
        splits: What it was trained and scored on, its labels with the threshold of the model.
        reports: Its scores by split, test first.
        runner: What can run further trials.
    """

    request: TrialRequest
    config: ExperimentConfig
    plan: FreezePlan
    classifier: Classifier
    run: RunResult
    splits: Splits
    reports: dict[str, EvaluationReport]
    runner: TrialRunner


def train_chosen(
    job: SearchJob,
    cell: Cell,
    records: list[TrialRecord],
    console: Console,
    runner: TrialRunner | None = None,
) -> FinalModel:
    """Trains the chosen cell with the first seed and scores it once on the test split.

    A final training that was interrupted goes on from its checkpoint. On a full disk the cached
    states there make room, as they do for a trial.

    Args:
        job: The search.
        cell: The chosen cell.
        records: The trials, for the number of epochs where early stopping had chosen it.
        console: Where progress is shown.
        runner: What ran the trials: its compiled model and its states are used again. None if
            other processes did.
    """
    runner = runner or runner_alone(job, console)
    request = TrialRequest(cell, job.space.seeds[0], job.config.training.epochs)
    config = request.configure(job.config)
    no_folder = config.run.model_copy(update={"dir": None})
    write_config(config.model_copy(update={"run": no_folder}), job.directory.chosen)
    splits = job.splits
    if job.config.search.train_on_validation and splits.validation is not None:
        splits = replace(
            splits, train=join_splits(splits.train, splits.validation), validation=None
        )
    if splits.validation is None:
        config = _without_early_stopping(config, cell, records, splits.labels)
    chosen = runner.chosen
    runner.models.keep_only(config)  # what other depths hold would add to the highest memory
    compiled = runner.models.get(config, splits.train.labels)
    plan = compiled.spec.plan
    job.directory.write_json(job.directory.plan, plan.to_dict())
    render_plan(console, plan)
    events = job.directory.events if config.run.tensorboard else None
    if events is not None:
        shutil.rmtree(events, ignore_errors=True)  # of a cell that was chosen before
        write_plan_text(events, plan_markdown(plan))
    checkpoints = job.directory.checkpoints / request.folder_name(request.epochs)

    def train() -> RunResult:
        compiled.model.classifier.reset(config.training.seed)
        # Always the runner's cache, which knows when a full disk has made it give up.
        states = cached_states(compiled.model, splits, config, chosen, console, runner.prefix)
        runner.prefix.keep_only(states)
        return fine_tune(
            compiled.model,
            replace(splits, folds=None),
            config.training,
            config.evaluation,
            max_length=config.data.max_length,
            chosen=chosen,
            states=states,
            outputs=Outputs(events, checkpoints),
            console=console,
        )

    run = runner.with_disk_room(train)
    out_of_fold = None
    if splits.folds is not None:
        # Of the seed that the final model has, if that has completed.
        nearest = min(
            _completed(records, cell), key=lambda record: record.request.seed != request.seed
        )
        out_of_fold = nearest.result.load_predictions().logits
    run, splits, out_of_fold = _decided(
        run, splits, config, chosen, _completed(records, cell), out_of_fold, console
    )
    reports = score_splits(run, splits, config, chosen, out_of_fold)
    return FinalModel(
        request, config, plan, compiled.model.classifier, run, splits, reports, runner
    )


def runner_alone(job: SearchJob, console: Console) -> TrialRunner:
    """A runner of this process alone, whose workers have ended."""
    search = job.config.search.model_copy(update={"workers": 1})
    config = job.config.model_copy(update={"search": search})
    chosen = build_strategy(config.training.strategy)

    def note(line: str) -> None:
        console.print(line, markup=False, highlight=False, soft_wrap=True)

    return TrialRunner(job.files, job.splits, config, chosen, job.directory, note=note)


def _without_early_stopping(
    config: ExperimentConfig, cell: Cell, records: list[TrialRecord], labels: LabelSpace
) -> ExperimentConfig:
    """With no validation split left to watch, trains as long as was best in the trials."""
    histories = [history for r in _completed(records, cell) for history in r.histories]
    training = without_early_stopping(config.training, histories, labels)
    return config.model_copy(update={"training": training})


def _completed(records: list[TrialRecord], cell: Cell) -> list[TrialRecord]:
    return [r for r in records if r.is_completed and r.request.cell == cell]


def _decided(
    run: RunResult,
    splits: Splits,
    config: ExperimentConfig,
    chosen: ChosenStrategy,
    trials: list[TrialRecord],
    out_of_fold: np.ndarray | None,
    console: Console,
) -> tuple[RunResult, Splits, np.ndarray | None]:
    """Finds the model's temperature and threshold, as the options want them.

    With no validation split left, what the cell's trials answered decides.
    """
    is_left, labels = scored_split(splits) is not None, splits.labels
    answered = [record.result.load_predictions() for record in trials] if not is_left else []
    targets, logits = (
        (np.concatenate(arrays) for arrays in zip(*answered, strict=True))
        if answered
        else (np.zeros(0), np.zeros(0))
    )
    run, splits, out_of_fold, lines = calibrated(run, splits, config, chosen, out_of_fold)
    if config.evaluation.calibrate and answered:
        found = fit_temperature(labels, targets, logits)
        run, splits, out_of_fold, lines = with_temperature(found, run, splits, out_of_fold)
        logits = divided(logits, found.value)
    for line in lines:
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    run, splits = chosen_threshold(run, splits, config, chosen, out_of_fold)
    if config.evaluation.threshold == "auto" and not is_left:
        best = choose_threshold(splits.labels, targets, logits) if answered else 0.5
        splits = with_threshold(splits, best)
    return run, splits, out_of_fold
