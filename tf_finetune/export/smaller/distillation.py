"""The loss of a student that learns from labels and from a teacher's answers.

Hinton, Vinyals, Dean 2015, "Distilling the Knowledge in a Neural Network".
"""

import tensorflow as tf

from tf_finetune.data.batch import Inputs
from tf_finetune.models.classifier import Classifier
from tf_finetune.training.loss import LabelLoss


class DistillationLoss:
    """How far a student is from the labels and from what a teacher answers to the same texts.

    The teacher runs in every step, without dropout and without gradients; nothing is stored.

    Args:
        of_labels: The student's loss without a teacher.
        teacher: The model it learns from; reads the same tokens.
        teacher_weight: Share of the loss that comes from the teacher.
        temperature: What logits are divided by to soften them.
    """

    def __init__(
        self,
        of_labels: LabelLoss,
        *,
        teacher: Classifier,
        teacher_weight: float,
        temperature: float,
    ):
        self.of_labels = of_labels
        self.teacher = teacher
        self.teacher_weight = teacher_weight
        self.temperature = temperature

    def __call__(self, inputs: Inputs, targets: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
        """Losses of some texts, float32 [n]; see `loss.Loss`."""
        answers = tf.stop_gradient(self.teacher(inputs, training=False))
        deviation = self.of_labels.classifier.deviation
        soft = self.of_labels.task.imitation_losses(answers, logits, self.temperature, deviation)
        hard = self.of_labels(inputs, targets, logits)
        return self.teacher_weight * soft + (1.0 - self.teacher_weight) * hard
