"""Which words decided a prediction: integrated gradients of one text after the other."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tf_finetune.evaluation.attributions import Explanation
from tf_finetune.evaluation.explanation.precision import Precision
from tf_finetune.prediction.answers import answers
from tf_finetune.reports.page.explanations import ExplainedText
from tf_finetune.sources.records import Record

if TYPE_CHECKING:
    from tf_finetune.runs.trained_model import TrainedModel


@dataclass(frozen=True)
class ExplainedAnswer:
    """What a model says of a text, and why.

    Attributes:
        record: The text.
        answer: As `answers` gives it.
        explanation: Of one output.
    """

    record: Record
    answer: Mapping[str, Any]
    explanation: Explanation

    @property
    def shown(self) -> ExplainedText:
        """What a page shows of it."""
        record, answer, why = self.record, self.answer, self.explanation
        return ExplainedText(
            (record.text,) if record.text_pair is None else (record.text, record.text_pair),
            next(answer[name] for name in ("label", "labels", "value") if name in answer),
            None if why.label is None else answer["probabilities"][why.label],
            why,
        )

    def to_dict(self) -> dict[str, Any]:
        """What `predict` says of the text, and why, as JSON."""
        texts = {"text": self.record.text}
        if self.record.text_pair is not None:
            texts["text_pair"] = self.record.text_pair
        return {**texts, **self.answer, "explanation": self.explanation.to_dict()}


def explain(
    trained: "TrainedModel", records: Sequence[Record], label: int | None, precision: Precision
) -> Iterator[ExplainedAnswer]:
    """Explains texts in their order; each takes about as long as a step of training.

    Args:
        trained: A single model.
        records: The texts, at least one.
        label: The output to explain, from `check_label`; None: each text's likeliest.
        precision: How exactly, from `check_precision`.

    Raises:
        UserError: The model's outputs are NaN or infinite.
    """
    logits = trained.logits_of(records, trained.config.evaluation.batch_size)
    said = answers(trained.labels, logits)
    for record, likeliest, answer in zip(records, logits.argmax(axis=1), said, strict=True):
        output = int(likeliest) if label is None else label
        why = trained.explainer.explain(record.text, record.text_pair, output, precision)
        yield ExplainedAnswer(record, answer, why)
