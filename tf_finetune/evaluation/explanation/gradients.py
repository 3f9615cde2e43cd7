"""Integrated gradients (Sundararajan, Taly & Yan 2017) over a classifier's input embeddings.

The path leads straight from the embeddings of a baseline to those of the text. What a token
contributes is the integral, along the path, of the output's gradient with respect to its
embedding times the embedding's way. By the fundamental theorem of calculus the contributions
of all tokens add up to the difference of the outputs at both ends ("completeness"): how far
the sum is off says how well the integral was computed.

Embeddings are the output of the embeddings block (word + position + type, normalised), which
is what the first encoder layer reads. Both ends have the same positions and types, so they
differ in the words alone.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from tf_finetune.data.batch import text_rows
from tf_finetune.errors import UserError
from tf_finetune.evaluation.explanation.precision import Precision
from tf_finetune.models.classifier import Classifier
from tf_finetune.models.rounding import logit_rounding

TOKENS_AT_A_TIME = 4096  # as a training batch of 32 texts of 128 tokens


@dataclass(frozen=True)
class Contributions:
    """What tokens contributed to one output.

    Attributes:
        by_token: float64 [t].
        output: The output of the text.
        baseline: The output of the baseline.
        steps: Intervals the path was cut into.
        rounding: How far rounding alone may set the two outputs apart.
    """

    by_token: np.ndarray
    output: float
    baseline: float
    steps: int
    rounding: float

    @property
    def gap(self) -> float:
        """|sum of contributions - (output - baseline)|."""
        return abs(float(self.by_token.sum()) - (self.output - self.baseline))

    def within(self, tolerance: float) -> bool:
        """Whether the gap is at most this share of the sum of all magnitudes, or rounding."""
        return self.gap <= tolerance * float(np.abs(self.by_token).sum()) + self.rounding


class IntegratedGradients:
    """Contributions of tokens to a classifier's outputs, in inference mode.

    What is explained is an output, or the mean of outputs of several states that the head reads.

    Every layer is walked with its gradient, so what is frozen in training makes no difference.

    Args:
        classifier: The model; its weights may change between calls.
    """

    def __init__(self, classifier: Classifier):
        self._classifier = classifier
        self._slopes = _traced_slopes(classifier)

    def of(
        self,
        token_ids: np.ndarray,
        baseline_ids: np.ndarray,
        token_type_ids: np.ndarray,
        outputs: Sequence[int],
        precision: Precision,
        reads: Sequence[int] = (0,),
    ) -> Contributions:
        """Integrates, with twice the steps as long as the gap is above the tolerance.

        The trapezoidal rule: its points are among those of twice the steps, so that n steps cost
        n + 1 gradients however they were come to.

        Args:
            token_ids: One text, int32 [t].
            baseline_ids: What it is compared with, int32 [t].
            token_type_ids: Of both, int32 [t].
            outputs: Index of the logit, of each state that is read.
            precision: How exactly.
            reads: Positions of these states.

        Raises:
            UserError: An output or a gradient is NaN or infinite.
        """
        ends = np.stack([baseline_ids, token_ids])

        def slopes_at(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            return self._in_batches(ends, token_type_ids, points, (reads, outputs))

        of_logits = logit_rounding(self._classifier, len(token_ids))
        rounding = float(of_logits[list(outputs)].mean())
        slopes, values = slopes_at(np.linspace(0.0, 1.0, precision.steps + 1))
        total = slopes.sum(axis=0) - (slopes[0] + slopes[-1]) / 2
        steps = precision.steps
        while True:
            found = Contributions(
                total / steps, float(values[-1]), float(values[0]), steps, rounding
            )
            if not np.isfinite(found.gap):
                raise UserError("the model's outputs or their gradients are NaN or infinite")
            if found.within(precision.tolerance) or 2 * steps > precision.most_steps:
                return found
            total = total + slopes_at((np.arange(steps) + 0.5) / steps)[0].sum(axis=0)
            steps *= 2

    def _in_batches(
        self,
        ends: np.ndarray,
        token_type_ids: np.ndarray,
        points: np.ndarray,
        asked: tuple[Sequence[int], Sequence[int]],
    ) -> tuple[np.ndarray, np.ndarray]:
        """Slopes float64 [n, t] and outputs float64 [n] at points of the path.

        `asked` are the reads and the output of each.
        """
        reads, outputs = (tf.constant(list(one), tf.int32) for one in asked)
        size = max(1, TOKENS_AT_A_TIME // ends.shape[1])
        found = [
            self._slopes(
                tf.constant(ends, tf.int32),
                tf.constant(token_type_ids, tf.int32),
                tf.constant(points[first : first + size], tf.float32),
                reads,
                outputs,
            )
            for first in range(0, len(points), size)
        ]
        slopes, values = (np.concatenate([part[i].numpy() for part in found]) for i in (0, 1))
        return slopes.astype(np.float64), values.astype(np.float64)


def _traced_slopes(classifier: Classifier) -> Callable[..., tuple[tf.Tensor, tf.Tensor]]:
    """One trace for texts of every length, any number of points and every output."""

    @tf.function(
        autograph=False,
        input_signature=[
            tf.TensorSpec([2, None], tf.int32),
            tf.TensorSpec([None], tf.int32),
            tf.TensorSpec([None], tf.float32),
            tf.TensorSpec([None], tf.int32),
            tf.TensorSpec([None], tf.int32),
        ],
    )
    def slopes(
        ends: tf.Tensor,
        token_type_ids: tf.Tensor,
        points: tf.Tensor,
        reads: tf.Tensor,
        outputs: tf.Tensor,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        types = tf.stack([token_type_ids, token_type_ids])
        both = text_rows(ends, types, tf.ones_like(ends), tf.stack([reads, reads]))
        baseline, text = tf.unstack(classifier.embed(both, training=False))
        way = text - baseline
        states = baseline + tf.cast(points, way.dtype)[:, None, None] * way
        texts = tf.nest.map_structure(lambda v: tf.repeat(v[:1], tf.size(points), 0), both.texts)
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(states)
            above = states
            for index in range(classifier.plan.frozen_depth):
                above = classifier.encode(index, above, texts, training=False)
            logits = classifier.classify(above, texts, training=False)
            asked = tf.one_hot(outputs, tf.shape(logits)[-1]) / tf.cast(
                tf.size(outputs), tf.float32
            )
            by_read = tf.reshape(logits, tf.concat([tf.shape(points), tf.shape(asked)], axis=0))
            explained = tf.reduce_sum(by_read * asked, axis=[1, 2])
        gradients = tf.cast(tape.gradient(explained, states), tf.float32)
        return tf.reduce_sum(gradients * tf.cast(way, tf.float32), axis=-1), explained

    return slopes
