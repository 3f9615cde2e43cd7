"""The ensemble of a search: the recommended cell's models of all seeds, kept and scored as one.

The trials have trained them anyway. What they answered to the validation examples is on disk, so
that only the test split is answered anew.
"""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from rich.console import Console
from rich.text import Text

from tf_finetune.data.splits import Split
from tf_finetune.errors import visible
from tf_finetune.evaluation.averaging import averaged_logits
from tf_finetune.evaluation.report import EvaluationReport
from tf_finetune.evaluation.temperature import fit_joint_temperature
from tf_finetune.evaluation.threshold import choose_threshold
from tf_finetune.export.quality_loss import quality_loss
from tf_finetune.runs.calibration import divided
from tf_finetune.runs.model_folder import write_model_folder
from tf_finetune.runs.scoring import split_logits, split_report
from tf_finetune.searches.answer.ensemble_result import EnsembleResult
from tf_finetune.searches.final_training import FinalModel
from tf_finetune.searches.leading.job import SearchJob
from tf_finetune.searches.running.live import describe
from tf_finetune.searches.running.records import TrialRecord
from tf_finetune.searches.running.runner import TrialRunner
from tf_finetune.searches.running.trial_weights import read_weights, remove_weights, trained_weights
from tf_finetune.storage.files import replaced_folder
from tf_finetune.storage.manifests import write_manifest
from tf_finetune.tasks.labels import LabelSpace

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast


class _Member(NamedTuple):
    """A trial with the weights that it kept."""

    record: TrialRecord
    weights: dict[str, np.ndarray]


def keep_ensemble(
    job: SearchJob,
    final: FinalModel,
    records: Sequence[TrialRecord],
    tokenizer: "PreTrainedTokenizerFast",
    console: Console,
) -> tuple[EnsembleResult | None, list[str]]:
    """Writes and scores the ensemble, if the options want one, and clears up behind the trials.

    A seed whose trial kept no weights, such as one of a search that only now has an ensemble, is
    trained anew.

    Args:
        job: The search.
        final: The single model, which is already written.
        records: The trials.
        tokenizer: The tokenizer of all models.
        console: Where progress is shown.

    Returns:
        What it is worth, and sentences about it; None if there is none.
    """
    directory = job.directory
    if not job.config.search.ensemble:
        shutil.rmtree(directory.ensemble, ignore_errors=True)  # of the search before
        remove_weights(directory.trials, records)
        return None, []
    if final.request.cell.is_solved:
        shutil.rmtree(directory.ensemble, ignore_errors=True)
        remove_weights(directory.trials, records)
        return None, ["There is no ensemble: the head is solved, the same for every seed."]
    epochs, cell = job.config.training.epochs, final.request.cell
    own = [r for r in records if r.is_whole(epochs) and r.request.cell == cell]
    own.sort(key=lambda record: record.request.seed)
    classifier = final.run.model.classifier
    single = trained_weights(classifier)
    compared = final.splits.test or _validation(final)
    single_logits = split_logits(final.run.model, compared, final.config, final.runner.chosen)
    notes: list[str] = []
    try:
        members = _members(job, final.runner, own, console, notes)
        if len(members) < 2:
            shutil.rmtree(directory.ensemble, ignore_errors=True)
            notes.append(
                "There is no ensemble: of the recommended cell only "
                f"{len(members)} seed(s) trained for all epochs; it takes two."
            )
            return None, notes
        labels = _labels(final, members)
        logits = final.runner.with_disk_room(
            lambda: _write(job, final, members, labels, tokenizer, compared)
        )
    finally:
        classifier.set_values(single)
    remove_weights(directory.trials, [r for r in records if r.request.cell != cell])
    loss = quality_loss(
        final.splits.labels,
        compared.labels,
        single_logits,
        logits,
        final.config.evaluation,
        changed_labels=labels,
    )
    result = EnsembleResult(
        tuple(member.record.request.seed for member in members),
        labels,
        _reports(final, members, labels, {compared.name: logits}),
        compared.name,
        loss,
    )
    return result, [result.sentence(), *notes]


def _members(
    job: SearchJob,
    runner: TrialRunner,
    own: Sequence[TrialRecord],
    console: Console,
    notes: list[str],
) -> list[_Member]:
    """The trials with their weights; notes which ones have none even when trained anew."""
    members = []
    for record in own:
        weights = read_weights(job.directory.trials, record)
        if weights is None:
            line = f"{describe(record.request)}: its weights are not kept; trained anew"
            console.print(Text(visible(line)), soft_wrap=True)
            # As "repeat", which is never given up early.
            again = replace(runner.run(record.request, "repeat"), stage=record.stage)
            if again.is_completed:
                runner.with_disk_room(partial(job.journal.append, again))
                record = job.journal.records[record.request.key]  # which finds its predictions
                weights = read_weights(job.directory.trials, record)
            runner.remove_checkpoints(again)
        if weights is None:
            notes.append(
                f"{describe(record.request)} is not in the ensemble: it cannot be trained."
            )
        else:
            members.append(_Member(record, weights))
    return members


def _validation(final: FinalModel) -> Split:
    if final.splits.validation is None:
        raise ValueError("an ensemble needs a validation split")
    return final.splits.validation


def _validation_logits(labels: LabelSpace, members: Sequence[_Member]) -> np.ndarray:
    kept = (member.record.result.load_predictions().logits for member in members)
    return averaged_logits(labels, [divided(logits, labels.temperature) for logits in kept])


def _labels(final: FinalModel, members: Sequence[_Member]) -> LabelSpace:
    """The labels with the temperature of all members, and the threshold of the ensemble."""
    labels = final.splits.labels
    if final.config.evaluation.calibrate:
        kept = [member.record.result.load_predictions().logits for member in members]
        found = fit_joint_temperature(labels, _validation(final).labels, kept)
        labels = labels.calibrated_at(found)
    if labels.threshold is None or final.config.evaluation.threshold != "auto":
        return labels
    logits = _validation_logits(labels, members)
    return labels.decided_at(choose_threshold(labels, _validation(final).labels, logits))


def _write(
    job: SearchJob,
    final: FinalModel,
    members: Sequence[_Member],
    labels: LabelSpace,
    tokenizer: "PreTrainedTokenizerFast",
    compared: Split,
) -> np.ndarray:
    """Writes a model folder a member, all or none; returns the averaged answers to a split."""
    model = final.run.model
    answered = []
    size = sum(v.numpy().nbytes for v in model.classifier.by_path.values())
    with replaced_folder(job.directory.ensemble, len(members) * size) as temporary:
        for member in members:
            model.classifier.set_values(member.weights)
            model.classifier.divide_logits(labels.temperature)
            answered.append(split_logits(model, compared, final.config, final.runner.chosen))
            write_model_folder(
                temporary / f"seed-{member.record.request.seed}",
                model.classifier,
                tokenizer,
                labels,
                max_length=job.config.data.max_length,
            )
        write_manifest(temporary)
    return averaged_logits(labels, answered)


def _reports(
    final: FinalModel,
    members: Sequence[_Member],
    labels: LabelSpace,
    known: Mapping[str, np.ndarray],
) -> dict[str, EvaluationReport]:
    reports = {}
    for split in filter(None, (final.splits.test, _validation(final))):
        logits = known.get(split.name)
        if logits is None:
            logits = _validation_logits(labels, members)
        report = split_report(labels, split, logits, final.config, averaged=True)
        name = f"ensemble-{split.name}"
        reports[name] = replace(report, split=name, models=len(members))
    return reports
