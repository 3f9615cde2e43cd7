"""The loss of a student that learns from labels and from a teacher's answers.

Hinton, Vinyals, Dean 2015, "Distilling the Knowledge in a Neural Network".
"""

from typing import Any

import tensorflow as tf

from tf_finetune.data.batch import Inputs
from tf_finetune.models.classifier import Classifier
from tf_finetune.tasks.table import TASKS
from tf_finetune.training.fine_tuner import FineTuner


class DistillingFineTuner(FineTuner):
    """Trains a classifier on labels and on what a teacher answers to the same texts.

    The teacher runs in every step, without dropout and without gradients; nothing is stored.

    Args:
        classifier: The student.
        teacher: The model it learns from; reads the same tokens.
        teacher_weight: Share of the loss that comes from the teacher.
        temperature: What logits are divided by to soften them.
        arguments: Those of `FineTuner`.
        options: Likewise.
    """

    def __init__(
        self,
        classifier: Classifier,
        *arguments: Any,
        teacher: Classifier,
        teacher_weight: float,
        temperature: float,
        **options: Any,
    ):
        super().__init__(classifier, *arguments, **options)
        self.teacher = teacher
        self.teacher_weight = teacher_weight
        self.temperature = temperature

    def example_losses(self, inputs: Inputs, targets: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
        """Loss of each text, float32 [n]."""
        answers = tf.stop_gradient(self.teacher(inputs, training=False))
        soft = TASKS[self.task].imitation_losses(
            answers, logits, self.temperature, self.classifier.deviation
        )
        hard = super().example_losses(inputs, targets, logits)
        return self.teacher_weight * soft + (1.0 - self.teacher_weight) * hard
