"""Scores a trained model on its splits, beside the baselines that show the gain."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.data.folds import OUT_OF_FOLD, rounds_of, scored_split
from tf_finetune.data.loading import Splits
from tf_finetune.data.splits import Split
from tf_finetune.data.states import PrefixStates
from tf_finetune.encoders.tokenizers import load_tokenizer
from tf_finetune.evaluation.explanation.explained_mistakes import explain_mistakes
from tf_finetune.evaluation.explanation.explainer import Explainer
from tf_finetune.evaluation.intervals import with_intervals
from tf_finetune.evaluation.report import EvaluationReport, FoldScores, build_evaluation_report
from tf_finetune.models.classifier import Classifier
from tf_finetune.tasks.labels import LabelSpace
from tf_finetune.training.batch_shapes import evaluation_shape
from tf_finetune.training.fine_tuner import FineTuner
from tf_finetune.training.run_result import RunResult
from tf_finetune.training.split_logits import predict_logits
from tf_finetune.training.strategy import ChosenStrategy


def score_splits(
    result: RunResult,
    splits: Splits,
    config: ExperimentConfig,
    chosen: ChosenStrategy,
    out_of_fold: np.ndarray | None = None,
) -> dict[str, EvaluationReport]:
    """Scores validation and test split, also with the weights before fine-tuning.

    Args:
        result: The training of the final model.
        splits: The data.
        config: The configuration.
        chosen: The strategy.
        out_of_fold: With folds, what their models gave, see `TrainedRounds.logits`.

    Returns:
        A report by split name; the headline one, test where there is one, comes first. With
        folds the training examples are reported on as a split too, `OUT_OF_FOLD`.
    """
    present = {
        split.name: split for split in (splits.test, scored_split(splits)) if split is not None
    }
    known = {"validation": result.validation_logits, OUT_OF_FOLD: out_of_fold}
    after = {
        name: split_logits(result.model, split, config, chosen)
        if (logits := known.get(name)) is None
        else logits
        for name, split in present.items()
    }
    before: dict[str, np.ndarray] = {}
    if config.evaluation.baselines:
        before = _logits_before(result.model, present, config, chosen)
    reports = {
        name: split_report(
            splits.labels, split, after[name], config, splits.train.labels, before.get(name)
        )
        for name, split in present.items()
    }
    # The models that made the mistakes out of fold are gone.
    own = {name: report for name, report in reports.items() if name != OUT_OF_FOLD}
    reports |= explained(result.model.classifier, splits.labels, own, present, config)
    if splits.folds is not None:
        folds = _fold_scores(splits, after[OUT_OF_FOLD], config)
        reports[OUT_OF_FOLD] = replace(reports[OUT_OF_FOLD], folds=folds)
    return reports


def _fold_scores(
    splits: Splits, logits: np.ndarray, config: ExperimentConfig
) -> tuple[FoldScores, ...]:
    return tuple(
        FoldScores(
            one.name,
            len(one.scored),
            with_intervals(
                splits.labels,
                splits.train.labels[one.scored],
                logits[one.scored],
                config.evaluation,
            ),
        )
        for one in rounds_of(splits)
    )


def split_logits(
    model: FineTuner,
    split: Split,
    config: ExperimentConfig,
    chosen: ChosenStrategy,
    states: PrefixStates | None = None,
) -> np.ndarray:
    """Logits of a split in its order, float32 [n, labels]; `states` are its cached ones."""
    shape = evaluation_shape(config.evaluation, config.training, config.data.max_length, chosen)
    return predict_logits(model, split, shape, states)


def split_report(
    labels: LabelSpace,
    split: Split,
    logits: np.ndarray,
    config: ExperimentConfig,
    train_targets: np.ndarray | None = None,
    logits_before: np.ndarray | None = None,
    *,
    averaged: bool = False,
) -> EvaluationReport:
    """The report of one split; see `build_evaluation_report`."""
    return build_evaluation_report(
        labels,
        split.name,
        split.labels,
        logits,
        split.records,
        split.source_rows,
        config.evaluation,
        train_targets if config.evaluation.baselines else None,
        logits_before,
        averaged=averaged,
    )


def explained(
    classifier: Classifier,
    labels: LabelSpace,
    reports: dict[str, EvaluationReport],
    splits: Mapping[str, Split],
    config: ExperimentConfig,
) -> dict[str, EvaluationReport]:
    """The same reports of these splits, with as many mistakes explained as the options want."""
    if not config.evaluation.explained_mistakes or "explain" in labels.unable:
        return reports
    tokenizer = load_tokenizer(classifier.files)
    explainer = Explainer(classifier, tokenizer, labels, config.data.max_length)
    records_of = {name: splits[name].records for name in reports}
    return explain_mistakes(explainer, reports, records_of, config.evaluation.explained_mistakes)


def _logits_before(
    model: FineTuner,
    splits: Mapping[str, Split],
    config: ExperimentConfig,
    chosen: ChosenStrategy,
) -> dict[str, np.ndarray]:
    """Logits with the weights before fine-tuning; the trained ones are put back."""
    trained = model.classifier.trainable_values()
    model.classifier.reset(config.training.seed)
    try:
        return {name: split_logits(model, s, config, chosen) for name, s in splits.items()}
    finally:
        model.classifier.set_values(trained)
