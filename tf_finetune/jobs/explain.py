"""Which words decided a prediction: integrated gradients of one text after the other."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from tf_finetune.evaluation.attributions import Explanation
from tf_finetune.evaluation.explanation.precision import Precision
from tf_finetune.reports.page.explanations import ExplainedText
from tf_finetune.runs.outputs import Outputs
from tf_finetune.sources.records import Record
from tf_finetune.tasks.questions import ChosenPart
from tf_finetune.tasks.wrong_answers import Part

if TYPE_CHECKING:
    from tf_finetune.runs.trained_model import TrainedModel


# Where an answer to a whole example stands.
_SAID = "label", "labels", "value", "choice_text"


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
        texts, answer, why = self.record.texts, self.answer, self.explanation
        if self.chosen is not None:
            (found,) = answer.values()
            said = [Part(p["start"], p["end"], p["label"], p["text"]).words for p in found]
            return ExplainedText(texts, said, self.chosen.probability, why)
        return ExplainedText(
            texts,
            next(answer[name] for name in _SAID if name in answer),
            None if why.label is None else answer["probabilities"][why.label],
            why,
        )

    def to_dict(self) -> dict[str, Any]:
        """What `predict` says of the text, and why, as JSON."""
        texts: dict[str, Any] = {"text": self.record.text}
        if self.record.text_pair is not None:
            texts["text_pair"] = self.record.text_pair
        if self.record.choices:
            texts["choices"] = self.record.choices
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
    said = _outputs(trained, records)
    likeliest = said.logits.argmax(axis=1).tolist()
    for record, output, answer in zip(
        records, likeliest, said.answers(trained.labels), strict=True
    ):
        if label is not None:
            output = trained.labels.names.index(label)
        why = trained.explainer.explain(record, output, precision)
        yield ExplainedAnswer(record, answer, why)


def _explained_parts(
    trained: "TrainedModel",
    records: Sequence[Record],
    label: str | None,
    precision: Precision,
    entity: int | None,
) -> Iterator[ExplainedAnswer]:
    labels = trained.labels
    for one in _outputs(trained, records).apart():
        (record,), (answer,) = one.records, one.answers(labels)
        chosen = labels.chosen_part(record, (one.rows, one.logits), label, entity)
        why = trained.explainer.explain_part(record, chosen.part, precision)
        assert why is not None, "what was found was read"
        yield ExplainedAnswer(record, answer, why, chosen)


def _outputs(trained: "TrainedModel", records: Sequence[Record]) -> Outputs:
    rows = trained.rows_of(records)
    logits = trained.logits_of(records, trained.config.evaluation.batch_size, rows=rows)
    return Outputs(records, rows, logits)
