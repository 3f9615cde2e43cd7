"""A smaller model beside the original: score, size and speed, on the same texts."""

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

import numpy as np
import tensorflow as tf
from rich.console import Console

from tf_finetune.console_tables import print_table
from tf_finetune.data.batch import Inputs, text_rows
from tf_finetune.data.splits import Split
from tf_finetune.errors import UserError
from tf_finetune.export.litert_inputs import split_tokens
from tf_finetune.export.loss_table import add_model, loss_table
from tf_finetune.export.quality_loss import QualityLoss, quality_loss
from tf_finetune.export.smaller.silent_heads import weight_bytes
from tf_finetune.models.classifier import Classifier
from tf_finetune.options.evaluation import EvaluationConfig
from tf_finetune.tasks.labels import LabelSpace
from tf_finetune.tasks.metrics import METRICS

_CALLS = 30
_ROUNDING = 1e-12


@dataclass(frozen=True)
class SizeComparison:
    """What a smaller model costs and gives.

    Attributes:
        split: Name of the split that was measured on.
        examples: Its size.
        confidence: Coverage of the interval.
        loss: The original's score less the smaller one's.
        original_bytes: Weights in float32.
        bytes: The smaller one's, as a graph holds them: without silent heads.
        parameters: Numbers among these.
        tokens: Length of the text that was timed.
        original_milliseconds: Median time of that text by itself.
        milliseconds: The smaller one's.
    """

    split: str
    examples: int
    confidence: float
    loss: QualityLoss
    original_bytes: int
    bytes: int
    parameters: int
    tokens: int
    original_milliseconds: float
    milliseconds: float

    def to_dict(self) -> dict[str, Any]:
        """The figures as plain values, for JSON."""
        return asdict(self)

    def check(self, max_loss: float) -> None:
        """Refuses a smaller model that loses too much.

        Raises:
            UserError: It loses more than `max_loss`.
        """
        loss = self.loss
        if loss.loss > max_loss + _ROUNDING:
            raise UserError(
                f"--max-loss: the smaller model loses {loss.loss:.4f} {METRICS[loss.metric].title} "
                f"({loss.low:.4f} to {loss.high:.4f}) on the {self.split} split; accepted: at "
                f"most {max_loss:g}",
                hint="Nothing was written. Leave more layers or heads, or allow more.",
            )


def compare(
    original: Classifier,
    smaller: Classifier,
    original_logits: np.ndarray,
    logits: np.ndarray,
    split: Split,
    labels: LabelSpace,
    evaluation: EvaluationConfig,
) -> SizeComparison:
    """Compares two models that have answered a split.

    Args:
        original: The run's model.
        smaller: What was made of it, its silent heads removed.
        original_logits: Answers to the split, float32 [n, labels].
        logits: The smaller one's.
        split: Labelled examples.
        labels: What the labels are.
        evaluation: Resamples and coverage of the interval.
    """
    at = int(np.argsort(split.lengths, kind="stable")[len(split) // 2])
    times = _median_milliseconds((original, smaller), split_tokens(split, np.array([at])))
    return SizeComparison(
        split=split.name,
        examples=split.num_examples,
        confidence=evaluation.confidence,
        loss=quality_loss(labels, split.labels, original_logits, logits, evaluation),
        original_bytes=weight_bytes(original),
        bytes=weight_bytes(smaller),
        parameters=weight_bytes(smaller) // 4,
        tokens=int(split.lengths[at]),
        original_milliseconds=times[0],
        milliseconds=times[1],
    )


def render_comparison(console: Console, found: SizeComparison) -> None:
    """Prints the table, narrow enough for 80 columns."""
    shown = loss_table(
        f"The smaller model on the {found.split} split ({found.examples:,} examples);\n"
        f"times are of one text of {found.tokens} tokens",
        "model",
        found.loss.metric,
        found.confidence,
    )
    shown.add_row(
        "original",
        *(f"{found.original_bytes / 2**20:.1f}", f"{found.loss.original:.4f}", "", "", ""),
        f"{found.original_milliseconds:.1f}",
    )
    add_model(shown, "smaller", found.bytes, found.loss, found.milliseconds)
    print_table(console, shown)


def _median_milliseconds(
    models: tuple[Classifier, Classifier], tokens: Mapping[str, np.ndarray]
) -> tuple[float, float]:
    """Times of one call of each, taken in turns so that both meet the same machine."""
    batch = text_rows(**{name: tf.constant(np.maximum(value, 0)) for name, value in tokens.items()})
    calls = [_answering(model) for model in models]
    seconds: tuple[list[float], list[float]] = ([], [])
    for call in calls:
        call(batch)  # traces
    for _ in range(_CALLS):
        for call, times in zip(calls, seconds, strict=True):
            started = time.perf_counter()
            call(batch).numpy()
            times.append(time.perf_counter() - started)
    return 1000 * median(seconds[0]), 1000 * median(seconds[1])


def _answering(classifier: Classifier) -> Callable[[Inputs], tf.Tensor]:
    @tf.function(autograph=False)
    def answer(batch: Inputs) -> tf.Tensor:
        return classifier(batch, training=False)

    return answer
