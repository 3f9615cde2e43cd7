"""A number a text."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pyarrow as pa
from pydantic import BaseModel

from tf_finetune.errors import UserError
from tf_finetune.sources.numbers import as_number
from tf_finetune.sources.problems import Problems
from tf_finetune.tasks.encoding import Written
from tf_finetune.tasks.labels import VALUE, LabelSpace
from tf_finetune.tasks.output_scale import OutputScale
from tf_finetune.tasks.pseudo_examples import Kind, pseudo_values
from tf_finetune.tasks.raw_labels import RawLabels
from tf_finetune.tasks.scored import Scored
from tf_finetune.tasks.value_scores import ValueScored

if TYPE_CHECKING:
    import tensorflow as tf

_LARGEST = float(np.finfo(np.float32).max)
_BINS = 10
# Strong shrinkage: hundreds of features, and perhaps only hundreds of texts.
_RIDGE_PENALTY = 100.0
# A deviation of the targets in steps of float32 at their size: with fewer, what rounding adds
# is over 7 % of it (a step over the square root of 12).
STEPS_TO_WARN = 4
MOST_POINTS = 2000  # as many as a figure can show


class Number(BaseModel):
    """The predicted number of a text."""

    value: float


@dataclass(frozen=True)
class Values(LabelSpace):
    """Numbers to predict.

    Targets are float32 [n], logits [n, 1] or [n], predictions float64 [n].
    """

    task: ClassVar[str] = "regression"
    read_as: ClassVar[Written] = "regression"
    nouns: ClassVar[tuple[str, str]] = ("number", "numbers")
    answer_key: ClassVar[str] = "value"
    answer_body: ClassVar[type[BaseModel]] = Number
    mistake_words: ClassVar[str] = "largest errors"
    problem_type: ClassVar[str] = "regression"
    answer_kind: ClassVar[str] = "a number"
    metrics: ClassVar[tuple[str, ...]] = ("pearson", "spearman", "mse", "mae", "loss")
    unable: ClassVar[frozenset[str]] = frozenset(("suspects",))
    headline: ClassVar[str] = "spearman"
    constant_name: ClassVar[str] = "training_mean"
    constant_words: ClassVar[str] = "the mean of the training targets"
    has_smoothed_targets: ClassVar[bool] = False

    @property
    def num_outputs(self) -> int:
        """See `LabelSpace.num_outputs`."""
        return 1

    def values_of(self, labels: list[str]) -> list[float | None]:
        """See `LabelSpace.values_of`; too large for float32 counts as infinite."""
        numbers = (as_number(label, self.decimal_mark) for label in labels)
        # A comparison with NaN is false.
        return [n if n is not None and abs(n) <= _LARGEST else None for n in numbers]

    def of_numbers(self, numbers: np.ndarray, texts: np.ndarray, num_texts: int) -> np.ndarray:
        """See `LabelSpace.of_numbers`."""
        return numbers.astype(np.float32)

    def check_lists(self, raw: RawLabels, problems: Problems) -> None:
        """See `LabelSpace.check_lists`."""
        problems.add(
            f"{raw.source}, row {raw.rows[0]}: received a list of labels; accepted: one "
            f"number a text, as data.task is {self.task}"
        )

    def accepted(self) -> str:
        """See `LabelSpace.accepted`."""
        return "a finite number such as 3 or -0.5"

    @classmethod
    def purpose(cls, num_names: int) -> str:
        """See `LabelSpace.purpose`."""
        return "a number of a text"

    def same_in_all(self, targets: np.ndarray) -> tuple[str, str] | None:
        """See `LabelSpace.same_in_all`."""
        if np.any(targets != targets[0]):
            return None
        return f"target {targets[0]:g}", "targets that differ"

    def strata(self, targets: np.ndarray, most: int) -> np.ndarray:
        """One of ten equal shares of the targets by size; see `LabelSpace.strata`."""
        rank = np.argsort(np.argsort(targets, kind="stable"), kind="stable")
        return rank * min(_BINS, most) // len(targets)

    def scale(self, targets: np.ndarray, *, centred: bool = True) -> OutputScale:
        """Mean and deviation of the training targets; not centred 0, and the deviation from it."""
        exact = targets.astype(np.float64)
        mean = np.float32(exact.mean() if centred else 0.0)
        deviation = np.float32(exact.std() if centred else np.sqrt(np.square(exact).mean()))
        # Equal targets are refused where labels are read; a part of them, such as a few steps
        # that are timed, may be equal all the same.
        return OutputScale(float(mean), float(deviation) or 1.0)

    @staticmethod
    def losses(
        targets: "tf.Tensor",
        logits: "tf.Tensor",
        label_smoothing: float = 0.0,
        deviation: "tf.Tensor | float" = 1.0,
    ) -> "tf.Tensor":
        """Squared error; see `LabelSpace.losses`."""
        import tensorflow as tf

        return tf.square((logits[:, 0] - targets) / deviation)

    @staticmethod
    def losses_and_slopes(
        targets: np.ndarray,
        logits: np.ndarray,
        label_smoothing: float = 0.0,
        deviation: float = 1.0,
    ) -> tuple[np.ndarray, np.ndarray]:
        """See `LabelSpace.losses_and_slopes`."""
        errors = (logits[:, 0] - targets) / deviation
        return np.square(errors), (2 * errors / deviation)[:, None]

    @staticmethod
    def curvatures(logits: np.ndarray) -> np.ndarray:
        """See `LabelSpace.curvatures`; that of a square, everywhere."""
        return np.full(logits.shape, 2.0)

    @staticmethod
    def imitation_losses(
        answers: "tf.Tensor",
        logits: "tf.Tensor",
        temperature: float,
        deviation: "tf.Tensor | float" = 1.0,
    ) -> "tf.Tensor":
        """Squared difference; see `LabelSpace.imitation_losses`."""
        return Values.losses(answers[:, 0], logits, deviation=deviation)

    @staticmethod
    def target_shape(num_outputs: int) -> tuple[tuple[int, ...], str]:
        """See `LabelSpace.target_shape`."""
        return (), "float32"

    def predicted(self, logits: np.ndarray) -> np.ndarray:
        """The number, float64 [n]."""
        return np.asarray(logits, np.float64).reshape(len(logits))

    def answer_tolerance(self, targets: np.ndarray, given: float | None) -> float:
        """A quarter of the targets' deviation, if none is given; see there."""
        if given is None:
            return float(np.std(targets, dtype=np.float64)) / 4
        if not (np.isfinite(given) and given >= 0):
            raise UserError(f"--tolerance: received {given:g}; accepted: a number of at least 0")
        return given

    def differ(self, ones: np.ndarray, others: np.ndarray, tolerance: float) -> np.ndarray:
        """See `LabelSpace.differ`."""
        return np.abs(np.asarray(ones, np.float64) - others) > tolerance

    def support(self, answers: np.ndarray, logits: np.ndarray) -> None:
        """See `LabelSpace.support`."""
        return

    def leaning(self, logits: np.ndarray, output: int) -> np.ndarray:
        """See `LabelSpace.leaning`."""
        return self.predicted(logits)

    def having(self, targets: np.ndarray) -> np.ndarray:
        """See `LabelSpace.having`."""
        return np.zeros((len(targets), 0), bool)

    def averaged(self, logits: np.ndarray) -> np.ndarray:
        """See `LabelSpace.averaged`."""
        return logits.mean(axis=0)

    def scored_answers(self, targets: np.ndarray, logits: np.ndarray) -> Scored:
        """See `LabelSpace.scored_answers`."""
        return ValueScored(targets, self.predicted(logits))

    def constant_logits(self, train_targets: np.ndarray) -> np.ndarray:
        """The mean; see `LabelSpace.constant_logits`."""
        return np.array([np.mean(train_targets, dtype=np.float64)])

    def pseudo_examples(
        self, targets: np.ndarray, logits: np.ndarray, kind: Kind, seed: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """See `LabelSpace.pseudo_examples` and `pseudo_values`."""
        goal, answers = pseudo_values(targets, self.predicted(logits), kind, seed)
        return goal, answers.reshape(len(goal), *logits.shape[1:])

    @staticmethod
    def answer_type() -> pa.DataType:
        """See `LabelSpace.answer_type`."""
        return pa.float64()

    def graph_outputs(self, logits: "tf.Tensor") -> dict[str, "tf.Tensor"]:
        """See `LabelSpace.graph_outputs`; `value` float32 [n]."""
        return {"value": logits[:, 0]}

    def watched(self, logits: np.ndarray) -> dict[str, list[str | float]]:
        """The numbers; see `LabelSpace.watched`."""
        return {VALUE: self.predicted(logits).tolist()}

    def probe(self) -> Any:
        """See `LabelSpace.probe`."""
        from sklearn.linear_model import Ridge

        return Ridge(_RIDGE_PENALTY)

    def probe_logits(self, probe: Any, features: np.ndarray) -> np.ndarray:
        """See `LabelSpace.probe_logits`."""
        return np.asarray(probe.predict(features))[:, None]

    def target_range(self, targets: np.ndarray) -> tuple[float, float, float]:
        """See `LabelSpace.target_range`."""
        return float(targets.min()), float(targets.mean()), float(targets.max())

    def target_warnings(self, targets: np.ndarray) -> list[str]:
        """See `LabelSpace.target_warnings`."""
        mean, deviation = targets.mean(dtype=np.float64), targets.std(dtype=np.float64)
        step = np.spacing(np.float32(abs(mean)))
        if deviation >= STEPS_TO_WARN * step:
            return []
        return [
            "the targets are close together for their size "
            f"(mean {mean:.8g}, deviation {deviation:.3g}), where numbers are kept in steps of "
            f"{step:.3g}; subtract their mean"
        ]

    def wrongness(self, targets: np.ndarray, logits: np.ndarray) -> np.ndarray:
        """The size of the error; see `LabelSpace.wrongness`."""
        return np.abs(self.predicted(logits) - np.asarray(targets, np.float64))[:, None]

    def mistake_probability(self, wrongness: float) -> None:
        """See `LabelSpace.mistake_probability`."""
        return

    def words(self, encoded: np.ndarray) -> float:
        """See `LabelSpace.words`."""
        return float(encoded)

    def points(
        self, targets: np.ndarray, prediction: np.ndarray
    ) -> tuple[tuple[float, float], ...]:
        """See `LabelSpace.points`."""
        step = -(-len(targets) // MOST_POINTS)
        pairs = zip(targets[::step].tolist(), prediction[::step].tolist(), strict=True)
        return tuple(pairs)
