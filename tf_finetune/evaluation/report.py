"""Everything a person wants to know about a model's outputs on one split."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from tf_finetune.errors import UserError
from tf_finetune.evaluation.attributions import Explanation
from tf_finetune.evaluation.calibration import Calibration, calibration_of
from tf_finetune.evaluation.intervals import Estimate, with_intervals
from tf_finetune.options.evaluation import EvaluationConfig
from tf_finetune.tasks.labels import LabelSpace
from tf_finetune.tasks.table import TASKS
from tf_finetune.tasks.wrong_answers import Answer, RecordsOf, WrongPart

BEFORE = "before_fine_tuning"


@dataclass(frozen=True)
class ClassScore:
    """Scores of one class; a ratio without any case (nothing predicted, say) is 0."""

    name: str
    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True)
class Mistake:
    """An example that the model got wrong.

    Attributes:
        index: The index in the split of its first row.
        row: Its row, as the caller numbers them: `Split.source_rows` are 1-based in the file.
        text: The text.
        text_pair: The second text of a pair.
        label: The right answer.
        predicted: The model's answer.
        probability: What the model gave the wrong answer; with several labels, the wrong
            decision it was surest of; None in a regression.
        output: Which of the model's outputs was that wrong one; 0 in a regression.
        explanation: What the words contributed to that output; None where nobody asked.
        parts: What is wrong in the text, where the answer is parts of it, such as entities;
            `label` and `predicted` hold these alone.
        choices: The texts that were chosen from, where the answer is one of them.
    """

    index: int
    row: int
    text: str
    text_pair: str | None
    label: Answer
    predicted: Answer
    probability: float | None
    output: int = 0
    explanation: Explanation | None = None
    parts: tuple[WrongPart, ...] = ()
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class FoldScores:
    """Scores of one fold's examples, by the model that was not trained on them.

    Attributes:
        name: Such as "fold-1".
        n: Number of examples.
        metrics: Each score with its interval.
    """

    name: str
    n: int
    metrics: dict[str, Estimate]


@dataclass(frozen=True)
class EvaluationReport:
    """A model's scores on one split and what stands behind them.

    Attributes:
        split: Name of the split.
        task: The task of the `LabelSpace`.
        n: Number of examples.
        confidence: Coverage of the intervals.
        metrics: Each score with its interval.
        baselines: Scores to compare with, by name: the model `before_fine_tuning`, and the
            `majority_class` or `training_mean` of the training examples.
        per_class: One entry a class; empty in a regression.
        confusion: Examples by true (outer) and predicted class, [C][C]; None unless every
            example has a single label.
        mistakes: The most confident mistakes or largest errors, worst first.
        points: True and predicted numbers of a regression, of at most `MOST_POINTS`
            examples that are spread evenly over the split; None of other tasks.
        threshold: Probability above which a label was taken to apply; None where a text has
            one label or a number.
        folds: The scores of each fold alone where the outputs are those of several models, each
            for the fold that it was not trained on; otherwise empty.
        models: How many models' answers were averaged.
        calibration: How far the probabilities can be believed; None where answers have none.
    """

    split: str
    task: str
    n: int
    confidence: float
    metrics: dict[str, Estimate]
    baselines: dict[str, dict[str, float]]
    per_class: tuple[ClassScore, ...]
    confusion: tuple[tuple[int, ...], ...] | None
    mistakes: tuple[Mistake, ...]
    points: tuple[tuple[float, float], ...] | None = None
    threshold: float | None = None

    @property
    def threshold_words(self) -> str:
        """Such as ", labels above 0.37"; empty where it is one half, or there is none."""
        if self.threshold in (None, 0.5):
            return ""
        return f", {TASKS[self.task].threshold_words} {self.threshold:g}"

    folds: tuple[FoldScores, ...] = ()
    models: int = 1
    calibration: Calibration | None = None

    def to_dict(self) -> dict[str, Any]:
        """The report as plain dictionaries, lists and numbers."""
        return asdict(self)


def build_evaluation_report(
    labels: LabelSpace,
    split_name: str,
    targets: np.ndarray,
    logits: np.ndarray,
    records_of: RecordsOf,
    rows: np.ndarray,
    evaluation: EvaluationConfig,
    train_targets: np.ndarray | None = None,
    logits_before: np.ndarray | None = None,
    *,
    averaged: bool = False,
) -> EvaluationReport:
    """Scores a model's outputs on a split and collects what explains the scores.

    Args:
        labels: What the labels are, C classes.
        split_name: Name of the split.
        targets: Encoded labels of the n examples, as in `metrics.score`.
        logits: Outputs, as in `metrics.score`.
        records_of: Gives the examples that some rows are of, by the indices of the rows in the
            split.
        rows: int [n], the row to name when a mistake is shown.
        evaluation: Intervals, baselines and the number of mistakes.
        train_targets: Encoded labels of the training examples; None leaves out the baseline
            that needs no model.
        logits_before: Outputs of the model before fine-tuning; None leaves it out.
        averaged: Whether the outputs are averages of several models'.

    Returns:
        The report.

    Raises:
        UserError: Outputs are not finite, so the model is not one to report on.
    """
    _check_finite(split_name, logits)
    prediction = labels.predicted(logits)
    baselines = {}
    if evaluation.baselines and logits_before is not None:
        baselines[BEFORE] = labels.score(targets, logits_before)
    if evaluation.baselines and train_targets is not None:
        baselines[labels.constant_name] = constant_scores(labels, targets, train_targets)
    return EvaluationReport(
        split=split_name,
        task=labels.task,
        n=labels.example_count(targets),
        confidence=evaluation.confidence,
        metrics=with_intervals(labels, targets, logits, evaluation),
        baselines=baselines,
        per_class=_per_class(labels, targets, logits),
        confusion=labels.confusion(targets, prediction),
        mistakes=_mistakes(labels, targets, logits, records_of, rows, evaluation.mistakes),
        points=labels.points(targets, prediction),
        threshold=labels.threshold,
        calibration=calibration_of(labels, targets, logits, averaged=averaged),
    )


def constant_scores(
    labels: LabelSpace, targets: np.ndarray, train_targets: np.ndarray
) -> dict[str, float]:
    """What the best answer that ignores the text scores.

    Args:
        labels: What the labels are.
        targets: Encoded labels to score it on, as in `metrics.score`.
        train_targets: Encoded labels of the training examples, which give that answer.
    """
    constant = labels.constant_logits(train_targets)
    return labels.score(targets, labels.repeated(constant, targets))


def _check_finite(split_name: str, logits: np.ndarray) -> None:
    finite = np.isfinite(logits).reshape(len(logits), -1).all(axis=1)
    if not finite.all():
        raise UserError(
            f"{split_name}: the model's outputs are NaN or infinite for "
            f"{(~finite).sum():,} of {len(finite):,} examples",
            hint="The training diverged: lower training.learning_rate, set training.clip_norm "
            "or use training.precision=float32.",
        )


def _per_class(
    labels: LabelSpace, targets: np.ndarray, logits: np.ndarray
) -> tuple[ClassScore, ...]:
    examples = labels.scored(targets, logits)
    counts = examples.counts(np.ones((1, examples.num_examples)))
    if counts is None:
        return ()
    ratios = (counts.precision, counts.recall, counts.f1)
    columns = (*(column[0].tolist() for column in ratios), counts.true[0].astype(int).tolist())
    return tuple(ClassScore(*row) for row in zip(labels.counted_names, *columns, strict=True))


def _mistakes(
    labels: LabelSpace,
    targets: np.ndarray,
    logits: np.ndarray,
    records_of: RecordsOf,
    rows: np.ndarray,
    limit: int,
) -> tuple[Mistake, ...]:
    return tuple(
        Mistake(
            index=wrong.row,
            row=int(rows[wrong.row]),
            text=wrong.record.text,
            text_pair=wrong.record.text_pair,
            label=wrong.label,
            predicted=wrong.predicted,
            probability=wrong.probability,
            output=wrong.output,
            parts=wrong.parts,
            choices=wrong.record.choices,
        )
        for wrong in labels.wrong_answers(targets, logits, records_of, limit)
    )
