"""Several classes a text, or none."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
import pyarrow as pa
from pydantic import BaseModel
from scipy import sparse, special
from typing_extensions import Self  # of typing since Python 3.11

from tf_finetune.sources.records import Record
from tf_finetune.tasks.certainty import Decisions
from tf_finetune.tasks.class_scores import ClassScored
from tf_finetune.tasks.doubts import Measure, doubts_of_several, words_of_several
from tf_finetune.tasks.encoding import Written
from tf_finetune.tasks.labels import CONFIDENCE, LABEL
from tf_finetune.tasks.named_classes import NamedClasses, log_mean, logistic_regression
from tf_finetune.tasks.pseudo_examples import Kind, pseudo_sets
from tf_finetune.tasks.scored import Scored
from tf_finetune.tasks.task_rows import TaskRow

if TYPE_CHECKING:
    import tensorflow as tf


NO_LABEL = "(none)"  # of a text that no label applies to


class SeveralLabels(BaseModel):
    """The labels that apply to a text, perhaps none."""

    labels: list[str]
    probabilities: dict[str, float]


@dataclass(frozen=True)
class SeveralClasses(NamedClasses):
    """Classes of which each applies or not.

    Targets and predictions are float32 [n, C] of 0 and 1, probabilities a sigmoid each.

    Attributes:
        threshold: Probability above which a label applies.
    """

    threshold: float = 0.5

    task: ClassVar[str] = "multi_label"
    read_as: ClassVar[Written] = "multi_label"
    nouns: ClassVar[tuple[str, str]] = ("label", "labels")
    answer_key: ClassVar[str] = "labels"
    answer_body: ClassVar[type[BaseModel]] = SeveralLabels
    problem_type: ClassVar[str] = "multi_label_classification"
    answer_kind: ClassVar[str] = "several labels a text"
    metrics: ClassVar[tuple[str, ...]] = ("micro_f1", "macro_f1", "accuracy", "loss")
    headline: ClassVar[str] = "micro_f1"
    probability_words: ClassVar[str] = "sigmoid of each logit"
    constant_name: ClassVar[str] = "majority_class"
    constant_words: ClassVar[str] = "what most training examples have"
    holds_several: ClassVar[bool] = True
    unable: ClassVar[frozenset[str]] = frozenset(("suspects",))
    fewest_names: ClassVar[int] = 1
    measures: ClassVar[tuple[Measure, ...]] = ("margin", "entropy")
    calibrates: ClassVar[bool] = True

    def decided_at(self, threshold: float | Literal["auto"]) -> Self:
        """See `LabelSpace.decided_at`."""
        return self if threshold == "auto" else replace(self, threshold=threshold)

    @property
    def least_logit(self) -> float:
        """The logit above which a label applies."""
        return float(special.logit(self.threshold))

    def of_numbers(self, numbers: np.ndarray, texts: np.ndarray, num_texts: int) -> np.ndarray:
        """See `LabelSpace.of_numbers`."""
        multi_hot = np.zeros((num_texts, len(self.names)), np.float32)
        multi_hot[texts, numbers.astype(np.int64)] = 1.0
        return multi_hot

    def of_flags(self, flags: np.ndarray) -> np.ndarray:
        """See `LabelSpace.of_flags`."""
        return flags.astype(np.float32)

    @classmethod
    def purpose(cls, num_names: int) -> str:
        """See `LabelSpace.purpose`."""
        return f"which of {num_names} labels apply to a text"

    def same_in_all(self, targets: np.ndarray) -> None:
        """See `LabelSpace.same_in_all`; a label may be in all of a few texts."""
        return

    def strata(self, targets: np.ndarray, most: int) -> np.ndarray:
        """The rarest label, so that rare ones reach every part; see `LabelSpace.strata`."""
        by_rarity = np.argsort(targets.sum(axis=0), kind="stable")
        has_label = targets[:, by_rarity] > 0
        strata = np.where(has_label.any(axis=1), has_label.argmax(axis=1), len(by_rarity))
        return np.minimum(strata, most - 1)

    @staticmethod
    def losses(
        targets: "tf.Tensor",
        logits: "tf.Tensor",
        label_smoothing: float = 0.0,
        deviation: "tf.Tensor | float" = 1.0,
    ) -> "tf.Tensor":
        """Binary cross-entropy, mean over the labels; see `LabelSpace.losses`."""
        import tensorflow as tf

        targets = targets * (1 - label_smoothing) + 0.5 * label_smoothing
        entropies = tf.nn.sigmoid_cross_entropy_with_logits(targets, logits)
        return tf.reduce_mean(entropies, axis=-1)

    @staticmethod
    def losses_and_slopes(
        targets: np.ndarray,
        logits: np.ndarray,
        label_smoothing: float = 0.0,
        deviation: float = 1.0,
    ) -> tuple[np.ndarray, np.ndarray]:
        """See `LabelSpace.losses_and_slopes`."""
        wanted = targets * (1 - label_smoothing) + 0.5 * label_smoothing
        losses = np.logaddexp(0.0, logits) - logits * wanted
        slopes = (special.expit(logits) - wanted) / logits.shape[1]
        return losses.mean(axis=1), slopes

    @staticmethod
    def curvatures(logits: np.ndarray) -> np.ndarray:
        """See `LabelSpace.curvatures`."""
        return special.expit(logits) * special.expit(-logits) / logits.shape[1]

    @staticmethod
    def imitation_losses(
        answers: "tf.Tensor",
        logits: "tf.Tensor",
        temperature: float,
        deviation: "tf.Tensor | float" = 1.0,
    ) -> "tf.Tensor":
        """As of `Classes`, the mean over the labels; see `LabelSpace.imitation_losses`."""
        import tensorflow as tf

        answers, logits = answers / temperature, logits / temperature
        probabilities = tf.nn.sigmoid(answers)
        entropies = tf.nn.sigmoid_cross_entropy_with_logits(probabilities, logits)
        least = tf.nn.sigmoid_cross_entropy_with_logits(probabilities, answers)
        return temperature**2 * tf.reduce_mean(entropies - least, axis=-1)

    @staticmethod
    def target_shape(num_outputs: int) -> tuple[tuple[int, ...], str]:
        """See `LabelSpace.target_shape`."""
        return (num_outputs,), "float32"

    def predicted(self, logits: np.ndarray) -> np.ndarray:
        """Every class above the probability `threshold`, float32 [n, C] of 0 and 1."""
        return (np.asarray(logits) > self.least_logit).astype(np.float32)

    def probabilities(self, logits: np.ndarray) -> np.ndarray:
        """See `LabelSpace.probabilities`; each entry stands for itself."""
        return special.expit(np.asarray(logits, np.float64))

    def support(self, answers: np.ndarray, logits: np.ndarray) -> np.ndarray:
        """The mean over the labels; see `LabelSpace.support`."""
        chances = self.probabilities(logits)
        return np.where(answers > 0, chances, 1.0 - chances).mean(axis=1)

    def having(self, targets: np.ndarray) -> np.ndarray:
        """See `LabelSpace.having`."""
        return np.asarray(targets) > 0

    def averaged(self, logits: np.ndarray) -> np.ndarray:
        """Log odds of the mean probabilities; see `LabelSpace.averaged`."""
        return log_mean(special.log_expit(logits)) - log_mean(special.log_expit(-logits))

    def scored_answers(self, targets: np.ndarray, logits: np.ndarray) -> Scored:
        """See `LabelSpace.scored_answers`; the loss is the mean over the labels."""
        answers = self.predicted(logits)
        logits = np.asarray(logits, np.float64)
        losses = (np.logaddexp(0.0, logits) - logits * targets).mean(axis=-1)
        right = (answers == targets).all(axis=-1)
        return ClassScored(sparse.csr_array(targets), sparse.csr_array(answers), right, losses)

    def constant_logits(self, train_targets: np.ndarray) -> np.ndarray:
        """Log odds of the frequencies; see `LabelSpace.constant_logits`.

        One example added to each side keeps the loss finite for a class that training lacks.
        """
        counts = np.sum(train_targets, axis=0, dtype=np.float64)
        return np.log(counts + 1.0) - np.log(len(train_targets) - counts + 1.0)

    def pseudo_examples(
        self, targets: np.ndarray, logits: np.ndarray, kind: Kind, seed: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """See `LabelSpace.pseudo_examples` and `pseudo_sets`."""
        return pseudo_sets(targets, self.predicted(logits), logits, kind, seed)

    def doubts(
        self,
        measure: Measure,
        records: Sequence[Record],
        rows: Sequence[TaskRow],
        logits: np.ndarray,
    ) -> np.ndarray:
        """See `Doubts.doubts`."""
        return doubts_of_several(measure, self.probabilities(logits), self.threshold)

    def doubt_in_words(
        self, measure: Measure, record: Record, rows: Sequence[TaskRow], logits: np.ndarray
    ) -> str:
        """See `Doubts.doubt_in_words`."""
        return words_of_several(measure, self.probabilities(logits)[0], self.names, self.threshold)

    def certainty(self, logits: np.ndarray) -> np.ndarray:
        """That of the label which is least sure to apply or not; see `Certainty.certainty`."""
        chances: np.ndarray = self._of_decisions(logits).min(axis=1)
        return chances

    def right(self, targets: np.ndarray, logits: np.ndarray) -> np.ndarray:
        """Where all labels are; see `Certainty.right`."""
        found: np.ndarray = (self.predicted(logits) == targets).all(axis=1)
        return found

    def decisions(self, targets: np.ndarray, logits: np.ndarray) -> Decisions:
        """One a label of each example; see `Certainty.decisions`."""
        is_right = self.predicted(logits) == targets
        return Decisions(self._of_decisions(logits).ravel(), is_right.ravel())

    def _of_decisions(self, logits: np.ndarray) -> np.ndarray:
        """Probability of each decision that a label applies or not, float64 [n, C]."""
        chances = self.probabilities(logits)
        return np.where(self.predicted(logits) > 0, chances, 1.0 - chances)

    def answer_fields(self, answer: Mapping[str, Any], separator: str) -> tuple[Any, ...]:
        """See `LabelSpace.answer_fields`."""
        return (separator.join(answer["labels"]),)

    @staticmethod
    def answer_type() -> pa.DataType:
        """See `LabelSpace.answer_type`."""
        return pa.list_(pa.string())

    def graph_outputs(self, logits: "tf.Tensor") -> dict[str, "tf.Tensor"]:
        """See `LabelSpace.graph_outputs`; `applies` bool [n, C]: above the threshold."""
        import tensorflow as tf

        applies = {"applies": logits > self.least_logit}
        return self.named_outputs(logits, tf.nn.sigmoid(logits)) | applies

    def watched(self, logits: np.ndarray) -> dict[str, list[str | float]]:
        """All labels given, and how sure the decisions are; see `LabelSpace.watched`."""
        several: list[str | float] = []
        for row in self.predicted(logits):
            several += self.words(row) or [NO_LABEL]
        chances = self.probabilities(logits)
        return {LABEL: several, CONFIDENCE: np.maximum(chances, 1 - chances).mean(axis=1).tolist()}

    @property
    def watched_names(self) -> tuple[str, ...]:
        """See `LabelSpace.watched_names`."""
        return (*self.names, NO_LABEL)

    def probe(self) -> Any:
        """See `LabelSpace.probe`."""
        from sklearn.multiclass import OneVsRestClassifier

        return OneVsRestClassifier(logistic_regression())

    def probe_logits(self, probe: Any, features: np.ndarray) -> np.ndarray:
        """See `LabelSpace.probe_logits`."""
        values = np.asarray(probe.decision_function(features))
        return values.reshape(len(features), self.num_outputs)

    def class_counts(self, targets: np.ndarray) -> np.ndarray:
        """See `LabelSpace.class_counts`."""
        return targets.sum(axis=0, dtype=np.int64)

    def wrongness(self, targets: np.ndarray, logits: np.ndarray) -> np.ndarray:
        """See `LabelSpace.wrongness`."""
        wrong = self.predicted(logits) != targets
        return np.where(wrong, self._of_decisions(logits), 0.0)

    def words(self, encoded: np.ndarray) -> list[str]:
        """See `LabelSpace.words`."""
        return [self.names[c] for c in np.flatnonzero(encoded)]
