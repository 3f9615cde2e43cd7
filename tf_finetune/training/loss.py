"""What a step makes smaller: the loss of each text."""

from collections.abc import Callable

import tensorflow as tf

from tf_finetune.data.batch import Inputs
from tf_finetune.models.classifier import Classifier
from tf_finetune.tasks.labels import LabelSpace

# Of inputs, targets [n, ...] and what is computed of each text or read, such as its logits: losses,
# float32 [n].
Loss = Callable[[Inputs, tf.Tensor, tf.Tensor], tf.Tensor]


def by_row(values: tf.Tensor, inputs: Inputs) -> tf.Tensor:
    """What was computed of each read, [b * r, width], by row, [b, r * width]."""
    reads = inputs.texts.reads
    width = None if reads.shape[1] is None else reads.shape[1] * values.shape[1]
    rows = tf.reshape(values, [tf.shape(reads)[0], tf.shape(reads)[1] * values.shape[1]])
    return tf.ensure_shape(rows, [None, width])


class LabelLoss:
    """How far a model's logits are from the labels.

    Args:
        classifier: The model.
        task: What the labels are.
        label_smoothing: See `LabelSpace.losses`.
    """

    def __init__(
        self, classifier: Classifier, task: type[LabelSpace], label_smoothing: float = 0.0
    ):
        self.classifier = classifier
        self.task = task
        self.label_smoothing = label_smoothing

    def __call__(self, inputs: Inputs, targets: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
        """Losses of some texts, float32 [n]; see `Loss`."""
        if self.task.several_texts:
            logits = tf.reshape(logits, [tf.shape(targets)[0], -1])
        elif self.task.joins_reads:
            logits = by_row(logits, inputs)
        return self.task.losses(targets, logits, self.label_smoothing, self.classifier.deviation)
