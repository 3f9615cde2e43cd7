"""What the outputs of a model that answers questions mean, whatever the answers are."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from scipy import special
from typing_extensions import Self  # of typing since Python 3.11

from tf_finetune.encoders.family import Pooling
from tf_finetune.tasks.labels import CONFIDENCE, LabelSpace
from tf_finetune.tasks.spans.span_layout import END, READS, START
from tf_finetune.tasks.spans.span_losses import span_imitation_losses, span_losses

if TYPE_CHECKING:
    import tensorflow as tf


@dataclass(frozen=True)
class SpanOutputs(LabelSpace):
    """How likely an answer begins at each state that is read of a row, and ends there.

    Logits of a row stand read after read, float [n, r * 2]: first those of the first token, which
    stands for "no answer here", then those of every token of the context.

    Attributes:
        no_answer_threshold: Where questions may have no answer: the probability of none, against
            the likeliest span, above which none is given. None: every question has an answer.
    """

    no_answer_threshold: float | None = None

    joins_reads: ClassVar[bool] = True
    has_exact_head: ClassVar[bool] = False
    pooling: ClassVar[Pooling | None] = "second_text"
    threshold_words: ClassVar[str] = "no answer above"
    probability_words: ClassVar[str] = "softmax over all spans that could be the answer"

    @property
    def num_outputs(self) -> int:
        """Two of each read, its start and its end; see `LabelEncoding.num_outputs`."""
        return len(self.output_names)

    @property
    def output_names(self) -> tuple[str, ...]:
        """See `LabelSpace.output_names`."""
        return "start", "end"

    @classmethod
    def of_model(cls, names: tuple[str, ...], threshold: float | None) -> Self:
        """See `LabelSpace.of_model`; with a threshold, questions may have no answer."""
        return cls(no_answer_threshold=threshold)

    @property
    def threshold(self) -> float | None:
        """See `LabelEncoding.threshold`; that of no answer."""
        return self.no_answer_threshold

    def decided_at(self, threshold: float | Literal["auto"]) -> Self:
        """See `LabelEncoding.decided_at`."""
        if self.no_answer_threshold is None:
            return super().decided_at(threshold)
        return self if threshold == "auto" else replace(self, no_answer_threshold=threshold)

    @property
    def may_lack(self) -> bool:
        """Whether a question may have no answer."""
        return self.no_answer_threshold is not None

    @property
    def margin(self) -> float:
        """By how much no answer must beat the best span to be given."""
        threshold = self.no_answer_threshold
        return 0.0 if threshold is None else float(special.logit(threshold))

    @staticmethod
    def most_reads(length: int) -> int:
        """As if all tokens but those that mark ends were the context's; see `LabelSpace`."""
        return length

    @staticmethod
    def answer_targets(targets: np.ndarray, reads: int) -> np.ndarray:
        """Where the answer begins and ends, and the reads, int32 [b, 1, 3]."""
        return targets[:, None, [START, END, READS]]

    @staticmethod
    def losses(
        targets: "tf.Tensor",
        logits: "tf.Tensor",
        label_smoothing: float = 0.0,
        deviation: "tf.Tensor | float" = 1.0,
    ) -> "tf.Tensor":
        """See `span_losses`; targets int32 [b, 3], logits of whole rows [b, r * 2]."""
        return span_losses(targets, logits, label_smoothing)

    @staticmethod
    def losses_and_slopes(
        targets: np.ndarray,
        logits: np.ndarray,
        label_smoothing: float = 0.0,
        deviation: float = 1.0,
    ) -> tuple[np.ndarray, np.ndarray]:
        """No head is solved that answers several reads together: `has_exact_head`."""
        raise ValueError("the head of a span task is trained in steps")

    @staticmethod
    def curvatures(logits: np.ndarray) -> np.ndarray:
        """As for `losses_and_slopes`."""
        raise ValueError("the head of a span task is trained in steps")

    @staticmethod
    def imitation_losses(
        answers: "tf.Tensor",
        logits: "tf.Tensor",
        temperature: float,
        deviation: "tf.Tensor | float" = 1.0,
    ) -> "tf.Tensor":
        """See `span_imitation_losses`."""
        return span_imitation_losses(answers, logits, temperature)

    @staticmethod
    def target_shape(num_outputs: int) -> tuple[tuple[int, ...], str]:
        """That of a row in a batch; see `LabelSpace.target_shape`."""
        return (3,), "int32"

    def by_read(self, logits: np.ndarray) -> np.ndarray:
        """Logits [n, r * 2] as [n, r, 2]."""
        return np.asarray(logits).reshape(len(logits), -1, self.num_outputs)

    def predicted(self, logits: np.ndarray) -> np.ndarray:
        """The likeliest start and the likeliest end of each row by itself, int32 [n, 2].

        They are reads, as `SpanTargets.start` and `end` are.
        """
        by_read = self.by_read(logits)
        masked = np.where(by_read.any(axis=-1, keepdims=True), by_read, -np.inf)
        return masked.argmax(axis=1).astype(np.int32)

    def probabilities(self, logits: np.ndarray) -> np.ndarray:
        """Of starts and of ends, each a softmax over a row's reads; [n, r * 2]."""
        by_read = self.by_read(logits).astype(np.float64)
        # What is not read has no logits but 0.
        masked = np.where(by_read.any(axis=-1, keepdims=True), by_read, -np.inf)
        return special.softmax(masked, axis=1).reshape(len(logits), -1)

    def averaged(self, logits: np.ndarray) -> np.ndarray:
        """Mean logits, which compare windows as those of one model do."""
        return np.asarray(logits, np.float64).mean(axis=0)

    def graph_outputs(self, logits: "tf.Tensor") -> dict[str, "tf.Tensor"]:
        """The two outputs of each read; see `LabelSpace.graph_outputs`."""
        return {"start_logits": logits[..., 0], "end_logits": logits[..., 1]}

    def watched(self, logits: np.ndarray) -> dict[str, list[str | float]]:
        """How sure of a start each row is; see `LabelSpace.watched`."""
        chances = self.by_read(self.probabilities(logits))[..., 0]
        return {CONFIDENCE: chances.max(axis=1).tolist()}

    def probe(self) -> Any:
        """See `LabelSpace.probe`."""
        raise ValueError("where an answer begins is no class that states are told apart by")

    def probe_logits(self, probe: Any, features: np.ndarray) -> np.ndarray:
        """As for `probe`."""
        raise ValueError("where an answer begins is no class that states are told apart by")
