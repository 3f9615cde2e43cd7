"""Which words decided a prediction: integrated gradients of one text after the other."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from tf_finetune.errors import UserError
from tf_finetune.evaluation.attributions import Explanation
from tf_finetune.evaluation.explanation.precision import Precision
from tf_finetune.reports.page.explanations import ExplainedText
from tf_finetune.runs.outputs import Outputs
from tf_finetune.sources.problems import show
from tf_finetune.sources.records import Record
from tf_finetune.tasks.questions import Asked, ChosenPart
from tf_finetune.tasks.wrong_answers import Answer

if TYPE_CHECKING:
    from tf_finetune.runs.trained_model import TrainedModel


@dataclass(frozen=True)
class ExplainedAnswer:
    """What a model says of a text, and why.

    Attributes:
        record: The text.
        answer: As `answers` gives it.
        said: The same in short.
        explanation: Of one output, or of a part of the text.
        chosen: That part; None where the answer is to the whole text.
    """

    record: Record
    answer: Mapping[str, Any]
    said: Answer
    explanation: Explanation
    chosen: ChosenPart | None = None

    @property
    def shown(self) -> ExplainedText:
        """What a page shows of it."""
        why = self.explanation
        if self.chosen is not None:
            chance: float | None = self.chosen.probability
        else:
            chance = None if why.label is None else self.answer["probabilities"][why.label]
        return ExplainedText(self.record.texts, self.said, chance, why)

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
    asked: Asked,
    precision: Precision,
) -> Iterator[ExplainedAnswer]:
    """Explains texts in their order; each takes about as long as a step of training.

    Args:
        trained: A single model.
        records: The texts, at least one.
        asked: From `requests.asked`: the label to explain, or the part of the texts; each text's
            likeliest if nothing is said.
        precision: How exactly, from `check_precision`.

    Raises:
        UserError: The model's outputs are NaN or infinite, or a text has no such part.
    """
    labels = trained.labels
    if labels.explains_parts:
        yield from _explained_parts(trained, records, asked, precision)
        return
    said = _outputs(trained, records)
    likeliest = said.logits.argmax(axis=1).tolist()
    for record, output, answer in zip(records, likeliest, said.answers(labels), strict=True):
        if asked.label is not None:
            output = labels.names.index(asked.label)
        why = trained.explainer.explain(record, output, precision)
        yield ExplainedAnswer(record, answer, labels.said(answer), why)


def _explained_parts(
    trained: "TrainedModel",
    records: Sequence[Record],
    asked: Asked,
    precision: Precision,
) -> Iterator[ExplainedAnswer]:
    labels = trained.labels
    for one in _outputs(trained, records).apart():
        (record,), (answer,) = one.records, one.answers(labels)
        chosen = labels.chosen_part(record, (one.rows, one.logits), asked)
        why = trained.explainer.explain_part(record, chosen.part, precision)
        if why is None:
            raise UserError(
                f"row {record.row}: of {' and '.join(map(show, record.texts))} the model reads "
                "nothing that could be explained"
            )
        yield ExplainedAnswer(record, answer, labels.said(answer), why, chosen)


def _outputs(trained: "TrainedModel", records: Sequence[Record]) -> Outputs:
    rows = trained.rows_of(records)
    logits = trained.logits_of(records, trained.config.evaluation.batch_size, rows=rows)
    return Outputs(records, rows, logits)
