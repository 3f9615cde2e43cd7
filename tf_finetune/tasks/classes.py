"""One class a text."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pyarrow as pa
from pydantic import BaseModel
from scipy import special

from tf_finetune.errors import UserError
from tf_finetune.sources.problems import Problems, show
from tf_finetune.sources.records import Record
from tf_finetune.tasks.class_scores import OneClassScored
from tf_finetune.tasks.doubts import Measure, doubts_of_one, words_of_one
from tf_finetune.tasks.encoding import Written
from tf_finetune.tasks.labels import CONFIDENCE, LABEL
from tf_finetune.tasks.named_classes import NamedClasses, add_rows, log_mean, logistic_regression
from tf_finetune.tasks.pseudo_examples import Kind, pseudo_classes
from tf_finetune.tasks.raw_labels import RawLabels
from tf_finetune.tasks.scored import Scored
from tf_finetune.tasks.task_rows import TaskRow

if TYPE_CHECKING:
    import tensorflow as tf


class SingleLabel(BaseModel):
    """The likeliest label of a text."""

    label: str
    probabilities: dict[str, float]


@dataclass(frozen=True)
class Classes(NamedClasses):
    """Classes that exclude each other.

    Targets are int32 [n], predictions the likeliest class, probabilities a softmax.
    """

    task: ClassVar[str] = "single_label"
    read_as: ClassVar[Written] = "single_label"
    nouns: ClassVar[tuple[str, str]] = ("class", "classes")
    answer_key: ClassVar[str] = "label"
    answer_body: ClassVar[type[BaseModel]] = SingleLabel
    problem_type: ClassVar[str] = "single_label_classification"
    answer_kind: ClassVar[str] = "one label a text"
    metrics: ClassVar[tuple[str, ...]] = ("accuracy", "macro_f1", "micro_f1", "mcc", "loss")
    headline: ClassVar[str] = "accuracy"
    probability_words: ClassVar[str] = "softmax of the logits"
    constant_name: ClassVar[str] = "majority_class"
    constant_words: ClassVar[str] = "the commonest class"
    fewest_names: ClassVar[int] = 2
    measures: ClassVar[tuple[Measure, ...]] = ("margin", "entropy")
    is_one_class: ClassVar[bool] = True
    tells_apart: ClassVar[bool] = True
    calibrates: ClassVar[bool] = True

    @classmethod
    def prepared(cls, raw: RawLabels, names: Collection[str]) -> RawLabels:
        """See `LabelSpace.prepared`; lists that are written out in text are lists."""
        return raw.parted(names)

    def of_numbers(self, numbers: np.ndarray, texts: np.ndarray, num_texts: int) -> np.ndarray:
        """See `LabelSpace.of_numbers`."""
        return numbers.astype(np.int32)

    def of_flags(self, flags: np.ndarray) -> np.ndarray:
        """See `LabelSpace.of_flags`."""
        return flags.argmax(axis=1).astype(np.int32)

    def _check_counts(self, raw: RawLabels, problems: Problems) -> None:
        counts = raw.lengths if raw.width is None else raw.flags().sum(axis=1)
        accepted = f"one label a text, as data.task is {self.task}"
        add_rows(raw, counts != 1, accepted, problems)

    @classmethod
    def purpose(cls, num_names: int) -> str:
        """See `LabelSpace.purpose`."""
        return f"to which of {num_names} classes a text belongs"

    def same_in_all(self, targets: np.ndarray) -> tuple[str, str] | None:
        """See `LabelSpace.same_in_all`."""
        if np.any(targets != targets[0]):
            return None
        return f"label {show(self.names[targets[0]])}", "at least 2 classes"

    def strata(self, targets: np.ndarray, most: int) -> np.ndarray:
        """The class; see `LabelSpace.strata`."""
        return targets

    def sole_classes(self, targets: np.ndarray) -> np.ndarray | None:
        """See `LabelSpace.sole_classes`."""
        return targets

    def example_weights(self, option: str | Mapping[str, float], targets: np.ndarray) -> np.ndarray:
        """See `LabelSpace.example_weights`.

        Balanced is n / (classes * examples of the class), as in King & Zeng 2001 and
        scikit-learn. Classes that a mapping leaves out weigh 1.
        """
        if option == "none":
            return np.ones(len(targets), np.float32)
        classes = len(self.names)
        if isinstance(option, Mapping):
            unknown = sorted(set(option) - set(self.names))
            if unknown:
                raise UserError(
                    f"training.class_weights: received {', '.join(unknown)}; accepted: classes "
                    f"of the training set: {', '.join(self.names[:20])}"
                )
            by_class = np.array([option.get(name, 1.0) for name in self.names])
        else:
            counts = np.bincount(targets, minlength=classes)
            by_class = len(targets) / (classes * np.maximum(counts, 1))
        return by_class[targets].astype(np.float32)

    @staticmethod
    def losses(
        targets: "tf.Tensor",
        logits: "tf.Tensor",
        label_smoothing: float = 0.0,
        deviation: "tf.Tensor | float" = 1.0,
    ) -> "tf.Tensor":
        """Cross-entropy; see `LabelSpace.losses`."""
        import tensorflow as tf

        classes = tf.shape(logits)[1]
        one_hot = tf.one_hot(targets, classes)
        smoothed = one_hot * (1 - label_smoothing) + label_smoothing / tf.cast(classes, tf.float32)
        return tf.nn.softmax_cross_entropy_with_logits(smoothed, logits)

    @staticmethod
    def losses_and_slopes(
        targets: np.ndarray,
        logits: np.ndarray,
        label_smoothing: float = 0.0,
        deviation: float = 1.0,
    ) -> tuple[np.ndarray, np.ndarray]:
        """See `LabelSpace.losses_and_slopes`."""
        count = logits.shape[1]
        wanted = np.full(logits.shape, label_smoothing / count)
        wanted[np.arange(len(targets)), targets] += 1 - label_smoothing
        logarithms = special.log_softmax(logits, axis=1)
        return -(wanted * logarithms).sum(axis=1), np.exp(logarithms) - wanted

    @staticmethod
    def curvatures(logits: np.ndarray) -> np.ndarray:
        """See `LabelSpace.curvatures`."""
        probabilities = special.softmax(logits, axis=1)
        return probabilities * (1 - probabilities)

    @staticmethod
    def imitation_losses(
        answers: "tf.Tensor",
        logits: "tf.Tensor",
        temperature: float,
        deviation: "tf.Tensor | float" = 1.0,
    ) -> "tf.Tensor":
        """Divergence of the softened probabilities; see `LabelSpace.imitation_losses`.

        It is multiplied by the temperature squared, so that its gradients are of the size that
        those of the labels have.
        """
        import tensorflow as tf

        answers, logits = answers / temperature, logits / temperature
        probabilities = tf.nn.softmax(answers)
        entropies = tf.nn.softmax_cross_entropy_with_logits(probabilities, logits)
        least = tf.nn.softmax_cross_entropy_with_logits(probabilities, answers)
        return temperature**2 * (entropies - least)

    @staticmethod
    def target_shape(num_outputs: int) -> tuple[tuple[int, ...], str]:
        """See `LabelSpace.target_shape`."""
        return (), "int32"

    def predicted(self, logits: np.ndarray) -> np.ndarray:
        """The likeliest class, int32 [n]."""
        return np.asarray(logits).argmax(axis=-1).astype(np.int32)

    def probabilities(self, logits: np.ndarray) -> np.ndarray:
        """See `LabelSpace.probabilities`; rows sum to 1."""
        return special.softmax(np.asarray(logits, np.float64), axis=-1)

    def averaged(self, logits: np.ndarray) -> np.ndarray:
        """Logarithms of the mean probabilities; see `LabelSpace.averaged`."""
        return log_mean(special.log_softmax(logits, axis=-1))

    def scored_answers(self, targets: np.ndarray, logits: np.ndarray) -> Scored:
        """See `LabelSpace.scored_answers`."""
        logarithms = special.log_softmax(np.asarray(logits, np.float64), axis=-1)
        losses = -logarithms[np.arange(len(targets)), targets]
        return OneClassScored(targets, self.predicted(logits), self.num_logits, losses)

    def constant_logits(self, train_targets: np.ndarray) -> np.ndarray:
        """Logarithms of the frequencies; see `LabelSpace.constant_logits`.

        One example added to each class keeps the loss finite for one that training lacks.
        """
        return np.log(np.bincount(train_targets, minlength=self.num_logits) + 1.0)

    def pseudo_examples(
        self, targets: np.ndarray, logits: np.ndarray, kind: Kind, seed: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """See `LabelSpace.pseudo_examples` and `pseudo_classes`."""
        return pseudo_classes(targets, logits, kind, seed)

    def doubts(
        self,
        measure: Measure,
        records: Sequence[Record],
        rows: Sequence[TaskRow],
        logits: np.ndarray,
    ) -> np.ndarray:
        """See `Doubts.doubts`."""
        return doubts_of_one(measure, self.probabilities(logits))

    def doubt_in_words(
        self, measure: Measure, record: Record, rows: Sequence[TaskRow], logits: np.ndarray
    ) -> str:
        """See `Doubts.doubt_in_words`."""
        return words_of_one(measure, self.probabilities(logits)[0], self.names)

    def certainty(self, logits: np.ndarray) -> np.ndarray:
        """See `Certainty.certainty`."""
        chances: np.ndarray = self.probabilities(logits).max(axis=-1)
        return chances

    def right(self, targets: np.ndarray, logits: np.ndarray) -> np.ndarray:
        """See `Certainty.right`."""
        found: np.ndarray = self.predicted(logits) == targets
        return found

    def answer_columns(self) -> tuple[str, ...]:
        """See `LabelSpace.answer_columns`."""
        return "label", "probability"

    def answer_fields(self, answer: Mapping[str, Any], separator: str) -> tuple[Any, ...]:
        """See `LabelSpace.answer_fields`."""
        return answer["label"], answer["probabilities"][answer["label"]]

    @staticmethod
    def answer_type() -> pa.DataType:
        """See `LabelSpace.answer_type`."""
        return pa.string()

    def graph_outputs(self, logits: "tf.Tensor") -> dict[str, "tf.Tensor"]:
        """See `LabelSpace.graph_outputs`; `label` string [n] is the likeliest."""
        import tensorflow as tf

        likeliest = tf.gather(tf.constant(self.names), tf.argmax(logits, axis=-1))
        return self.named_outputs(logits, tf.nn.softmax(logits)) | {"label": likeliest}

    def watched(self, logits: np.ndarray) -> dict[str, list[str | float]]:
        """The labels given and their probabilities; see `LabelSpace.watched`."""
        names: list[str | float] = [self.names[int(choice)] for choice in self.predicted(logits)]
        return {LABEL: names, CONFIDENCE: self.probabilities(logits).max(axis=1).tolist()}

    def probe(self) -> Any:
        """See `LabelSpace.probe`."""
        return logistic_regression()

    def probe_logits(self, probe: Any, features: np.ndarray) -> np.ndarray:
        """See `LabelSpace.probe_logits`; a class it never saw gets the least."""
        values = np.asarray(probe.decision_function(features))
        if values.ndim == 1:
            values = np.stack([-values / 2, values / 2], axis=1)
        logits = np.full((len(features), self.num_logits), values.min() - 1.0)
        logits[:, probe.classes_] = values
        return logits

    def class_counts(self, targets: np.ndarray) -> np.ndarray:
        """See `LabelSpace.class_counts`."""
        return np.bincount(targets, minlength=len(self.names))

    def wrongness(self, targets: np.ndarray, logits: np.ndarray) -> np.ndarray:
        """See `LabelSpace.wrongness`."""
        prediction = self.predicted(logits)
        chosen = np.arange(self.num_logits) == prediction[:, None]
        wrong = chosen & (prediction != targets)[:, None]
        return np.where(wrong, self.probabilities(logits), 0.0)

    def words(self, encoded: np.ndarray) -> str | int:
        """See `LabelSpace.words`."""
        return self.names[int(encoded)]

    def confusion(
        self, targets: np.ndarray, prediction: np.ndarray
    ) -> tuple[tuple[int, ...], ...] | None:
        """See `LabelSpace.confusion`."""
        matrix = np.zeros((self.num_logits, self.num_logits), np.int64)
        np.add.at(matrix, (targets, prediction), 1)
        return tuple(tuple(row) for row in matrix.tolist())
