"""The loss that this package trains with, as one of Keras' own."""

from typing import Any

import tensorflow as tf
import tf_keras

from tf_finetune.tasks.table import TASKS


@tf_keras.saving.register_keras_serializable("tf_finetune")
class TaskLoss(tf_keras.losses.Loss):
    """How far logits are from labels, as in a run of this package.

    Args:
        task: What the labels are, as `data.task` calls it.
        label_smoothing: Share of the target spread evenly over all classes.
        deviation: Of a regression, that of the training targets: errors are in its units.
        reduction: Keras' own.
        name: Keras' own.
    """

    def __init__(
        self,
        task: str,
        label_smoothing: float = 0.0,
        deviation: float = 1.0,
        reduction: str = "auto",
        name: str = "task_loss",
    ):
        super().__init__(reduction=reduction, name=name)
        self.task = task
        self.label_smoothing = label_smoothing
        self.deviation = deviation

    def call(self, y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        """Losses, float32 [b].

        Args:
            y_true: Numbers of the classes [b]; several labels a text [b, labels], 0 or 1; or
                numbers [b].
            y_pred: Logits [b, labels].
        """
        task = TASKS[self.task]
        shape, dtype = task.target_shape(y_pred.shape[-1])
        targets = tf.reshape(tf.cast(y_true, dtype), [-1, *shape])
        if targets.dtype.is_integer:  # a number that no class has would have no loss at all
            classes = tf.cast(tf.shape(y_pred)[-1], targets.dtype)
            inside = [
                tf.debugging.assert_non_negative(targets),
                tf.debugging.assert_less(targets, classes, "a label is not under num_labels"),
            ]
            with tf.control_dependencies([one for one in inside if one is not None]):
                targets = tf.identity(targets)
        return task.losses(targets, y_pred, self.label_smoothing, self.deviation)

    def get_config(self) -> dict[str, Any]:
        """The arguments."""
        names = ("task", "label_smoothing", "deviation")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
