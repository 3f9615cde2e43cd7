"""Which words decided a prediction: integrated gradients of one text after the other."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from tf_finetune.evaluation.attributions import Explanation
from tf_finetune.evaluation.explanation.precision import Precision
from tf_finetune.prediction.answers import answers
from tf_finetune.reports.page.explanations import ExplainedText
from tf_finetune.runs.outputs import Outputs
from tf_finetune.sources.records import Record
from tf_finetune.tasks.questions import ChosenPart
from tf_finetune.tasks.wrong_answers import Part

if TYPE_CHECKING:
    from tf_finetune.runs.trained_model import TrainedModel


@dataclass(frozen=True)
class ExplainedAnswer:
    """What a model says of a text, and why.

    Attributes:
        record: The text.
        answer: As `answers` gives it.
        explanation: Of one output, or of a part of the text.
        chosen: That part; None where the answer is to the whole text.
    """

    record: Record
    answer: Mapping[str, Any]
    explanation: Explanation
    chosen: ChosenPart | None = None

    @property
    def shown(self) -> ExplainedText:
        """What a page shows of it."""
        record, answer, why = self.record, self.answer, self.explanation
        texts = (record.text,) if record.text_pair is None else (record.text, record.text_pair)
        if self.chosen is not None:
            (found,) = answer.values()
            said = [Part(p["start"], p["end"], p["label"], p["text"]).words for p in found]
            return ExplainedText(texts, said, self.chosen.probability, why)
        return ExplainedText(
            texts,
            next(answer[name] for name in ("label", "labels", "value") if name in answer),
            None if why.label is None else answer["probabilities"][why.label],
            why,
        )

    def to_dict(self) -> dict[str, Any]:
        """What `predict` says of the text, and why, as JSON."""
        texts = {"text": self.record.text}
        if self.record.text_pair is not None:
            texts["text_pair"] = self.record.text_pair
        explained = {}
        if self.chosen is not None:
            chances = {"probability": self.chosen.probability}
            explained = {"explained": asdict(self.chosen.part) | chances}
        return {**texts, **self.answer, **explained, "explanation": self.explanation.to_dict()}


def explain(
    trained: "TrainedModel",
    records: Sequence[Record],
    label: str | None,
    precision: Precision,
    entity: int | None = None,
) -> Iterator[ExplainedAnswer]:
    """Explains texts in their order; each takes about as long as a step of training.

    Args:
        trained: A single model.
        records: The texts, at least one.
        label: The label to explain, from `check_label`; None: each text's likeliest.
        precision: How exactly, from `check_precision`.
        entity: Where an answer is parts of the text: which of them, from 1; None: the likeliest.

    Raises:
        UserError: The model's outputs are NaN or infinite, or a text has fewer parts.
    """
    if trained.labels.answers_parts:
        yield from _explained_parts(trained, records, label, precision, entity)
        return
    logits = trained.logits_of(records, trained.config.evaluation.batch_size)
    said = answers(trained.labels, logits)
    for record, likeliest, answer in zip(records, logits.argmax(axis=1), said, strict=True):
        output = int(likeliest) if label is None else trained.labels.names.index(label)
        why = trained.explainer.explain(record.text, record.text_pair, output, precision)
        yield ExplainedAnswer(record, answer, why)


def _explained_parts(
    trained: "TrainedModel",
    records: Sequence[Record],
    label: str | None,
    precision: Precision,
    entity: int | None,
) -> Iterator[ExplainedAnswer]:
    labels, rows = trained.labels, trained.rows_of(records)
    logits = trained.logits_of(records, trained.config.evaluation.batch_size, rows=rows)
    for one in Outputs(records, rows, logits).apart():
        (record,), (answer,) = one.records, one.answers(labels)
        chosen = labels.chosen_part(record, (one.rows, one.logits), label, entity)
        why = trained.explainer.explain_part(record, chosen.part, precision)
        assert why is not None, "what was found was read"
        yield ExplainedAnswer(record, answer, why, chosen)
