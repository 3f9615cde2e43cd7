"""One of several given choices."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pyarrow as pa
from pydantic import BaseModel
from scipy import special

from tf_finetune.encoders.family import Pooling
from tf_finetune.errors import UserError
from tf_finetune.sources.records import Record
from tf_finetune.tasks.choice_probe import ChoiceProbe
from tf_finetune.tasks.choice_rows import choice_rows, texts_of_choices
from tf_finetune.tasks.classes import Classes
from tf_finetune.tasks.encoding import LabelEncoding, Written
from tf_finetune.tasks.labels import CONFIDENCE, LABEL
from tf_finetune.tasks.named_classes import INVERSE_PENALTY
from tf_finetune.tasks.scored import Scored, weighted_mean
from tf_finetune.tasks.task_rows import TaskRow
from tf_finetune.tasks.wrong_answers import RecordsOf, WrongAnswer

if TYPE_CHECKING:
    import tensorflow as tf

CHOICE_METRICS = ("accuracy", "loss")


class Choice(BaseModel):
    """The likeliest choice: its number from 0 on, its text, and the probability of each."""

    choice: int
    choice_text: str | None = None
    probabilities: dict[str, float]


class ChoiceScored(Scored):
    """Answers that are right or wrong; of classes, which it takes for places, nothing is known."""

    def __init__(self, right: np.ndarray, losses: np.ndarray) -> None:
        """Keeps the answers.

        Args:
            right: Whether the answer is right, bool [n].
            losses: Loss of each example, float64 [n].
        """
        self.num_examples = len(right)
        self._values = dict(zip(CHOICE_METRICS, (right, losses), strict=True))

    def scores(self, weights: np.ndarray) -> dict[str, np.ndarray]:
        """See `Scored.scores`."""
        return {name: weighted_mean(weights, values) for name, values in self._values.items()}

    @property
    def shares(self) -> frozenset[str]:
        """See `Scored.shares`."""
        return frozenset({"accuracy"})


@dataclass(frozen=True)
class Choices(Classes):
    """Which of k given texts is right, such as the one that goes on best.

    An example is a row of k texts, one a choice, that the model reads by themselves; its head has
    one output, which scores a text. So `num_outputs`, which is the model's, is 1, while the logits
    and probabilities of an example are those of its k choices, `num_logits`. They are otherwise
    as those of classes: targets are int32 [n], the number of the right choice.

    Choices have no names: `names` are their numbers "0" to "k-1".
    """

    task: ClassVar[str] = "multiple_choice"
    makes_rows: ClassVar[bool] = True
    several_texts: ClassVar[bool] = True
    has_exact_head: ClassVar[bool] = False
    is_one_class: ClassVar[bool] = False  # a place says nothing of the text
    calibrates: ClassVar[bool] = False  # their logits lie in rows, as many as the example has
    pooling: ClassVar[Pooling | None] = "choice"
    library_class: ClassVar[str] = "ForMultipleChoice"
    unable: ClassVar[frozenset[str]] = frozenset(("check", "suspects"))
    pipeline: ClassVar[str] = "multiple-choice"
    long_texts: ClassVar[str] = (
        "of an example that is all its choices together, each with the context before it and an "
        "equal share of them; what is longer was cut in training and should be cut in use"
    )
    writing: ClassVar[str] = (
        "The text of a choice is a pair: the context, then the second text, if there is one, and "
        "the choice, with a space between the two."
    )
    read_as: ClassVar[Written] = "multiple_choice"
    nouns: ClassVar[tuple[str, str]] = ("choice", "choices")
    answer_key: ClassVar[str] = "choice"
    answer_body: ClassVar[type[BaseModel]] = Choice
    answer_kind: ClassVar[str] = "the number of a choice"
    metrics: ClassVar[tuple[str, ...]] = CHOICE_METRICS
    headline: ClassVar[str] = "accuracy"
    probability_words: ClassVar[str] = "softmax of the logits of an example's choices"
    constant_name: ClassVar[str] = "majority_place"
    constant_words: ClassVar[str] = "the place where the right choice stands most often"

    rows = staticmethod(choice_rows)
    read_texts = staticmethod(texts_of_choices)

    @classmethod
    def names_of(cls, texts: int) -> tuple[str, ...]:
        """Numbers, one a text; see `LabelEncoding.names_of`."""
        return tuple(map(str, range(texts)))

    @property
    def num_outputs(self) -> int:
        """Outputs of the model for each row: 1; see `LabelSpace.num_outputs`."""
        return 1

    @property
    def num_logits(self) -> int:
        """How many choices an example has; see `LabelSpace.num_logits`."""
        return len(self.names)

    @classmethod
    def purpose(cls, num_names: int) -> str:
        """See `LabelSpace.purpose`."""
        return f"which of {num_names} choices is right"

    def accepted(self) -> str:
        """See `LabelSpace.accepted`."""
        return f"the number of a choice, 0 to {len(self.names) - 1}"

    def same_in_all(self, targets: np.ndarray) -> None:
        """None: the model does not know where a choice stands; see `LabelSpace.same_in_all`."""
        return

    def sole_classes(self, targets: np.ndarray) -> None:
        """None: no split needs every place; see `LabelSpace.sole_classes`."""
        return

    def example_weights(self, option: str | Mapping[str, float], targets: np.ndarray) -> np.ndarray:
        """All 1: places are not classes; see `LabelSpace.example_weights`."""
        return LabelEncoding.example_weights(self, option, targets)

    def said(self, answer: Mapping[str, Any]) -> str:
        """The text of the choice; see `LabelSpace.said`."""
        return str(answer["choice_text"])

    def scored_answers(self, targets: np.ndarray, logits: np.ndarray) -> Scored:
        """See `LabelSpace.scored_answers`."""
        logarithms = special.log_softmax(np.asarray(logits, np.float64), axis=-1)
        losses = -logarithms[np.arange(len(targets)), targets]
        return ChoiceScored(self.predicted(logits) == targets, losses)

    def answers(
        self,
        logits: np.ndarray,
        top_k: int | None = None,
        texts: Sequence[Sequence[str]] | None = None,
    ) -> Iterator[dict[str, Any]]:
        """See `LabelSpace.answers`.

        Args:
            logits: Finite outputs, float [n, k].
            top_k: Give only the probabilities of this many choices, likeliest first.
            texts: The choices of each example, of which the answer then repeats the chosen one
                as `choice_text`.
        """
        found = super().answers(logits, top_k)
        if texts is None:
            return found
        pairs = zip(found, texts, strict=True)
        return (answer | {"choice_text": choices[answer["choice"]]} for answer, choices in pairs)

    def row_answers(
        self,
        records: Sequence[Record],
        rows: Sequence[TaskRow],
        logits: np.ndarray,
        top_k: int | None = None,
    ) -> Iterator[dict[str, Any]]:
        """See `LabelSpace.row_answers`.

        Raises:
            UserError: An example has another number of choices.
        """
        wrong = [r for r in records if len(r.choices) != self.num_logits]
        if wrong:
            raise UserError(
                f"row {wrong[0].row}: received {len(wrong[0].choices)} choices; accepted: "
                f"{self.num_logits}, as in training"
            )
        return self.answers(logits, top_k, [record.choices for record in records])

    def answer_columns(self) -> tuple[str, ...]:
        """See `LabelSpace.answer_columns`."""
        return "choice", "probability"

    def answer_fields(self, answer: Mapping[str, Any], separator: str) -> tuple[Any, ...]:
        """See `LabelSpace.answer_fields`."""
        return answer["choice"], answer["probabilities"][str(answer["choice"])]

    @staticmethod
    def answer_type() -> pa.DataType:
        """See `LabelSpace.answer_type`."""
        return pa.int64()

    def graph_outputs(self, logits: "tf.Tensor") -> dict[str, "tf.Tensor"]:
        """See `LabelSpace.graph_outputs`; `choice` int32 [n] is the likeliest."""
        import tensorflow as tf

        likeliest = tf.argmax(logits, axis=-1, output_type=tf.int32)
        return {"probabilities": tf.nn.softmax(logits), "choice": likeliest}

    def watched(self, logits: np.ndarray) -> dict[str, list[str | float]]:
        """The choices and their probabilities; see `LabelSpace.watched`."""
        chosen: list[str | float] = [str(choice) for choice in self.predicted(logits).tolist()]
        return {LABEL: chosen, CONFIDENCE: self.probabilities(logits).max(axis=1).tolist()}

    def probe(self) -> ChoiceProbe:
        """See `LabelSpace.probe`; its features are those of the choices side by side."""
        return ChoiceProbe(self.num_logits, INVERSE_PENALTY)

    def probe_logits(self, probe: Any, features: np.ndarray) -> np.ndarray:
        """See `LabelSpace.probe_logits`."""
        return np.asarray(probe.decision_function(features))

    def words(self, encoded: np.ndarray) -> int:
        """See `LabelSpace.words`; the number."""
        return int(encoded)

    def wrong_answers(
        self, targets: np.ndarray, logits: np.ndarray, records_of: RecordsOf, most: int
    ) -> list[WrongAnswer]:
        """See `LabelSpace.wrong_answers`; choices with their texts."""

        def told(choice: Any, record: Record) -> str:
            return f"{choice}: {record.choices[int(choice)]}"

        return [
            wrong._replace(
                label=told(wrong.label, wrong.record),
                predicted=told(wrong.predicted, wrong.record),
            )
            for wrong in super().wrong_answers(targets, logits, records_of, most)
        ]

    def confusion(self, targets: np.ndarray, prediction: np.ndarray) -> None:
        """None: places are not taken for each other; see `LabelSpace.confusion`."""
        return
