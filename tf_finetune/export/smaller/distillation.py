"""The loss of a student that learns from labels and from a teacher's answers.

Hinton, Vinyals, Dean 2015, "Distilling the Knowledge in a Neural Network".
"""

from typing import Any

import tensorflow as tf

from tf_finetune.data.batch import Inputs
from tf_finetune.models.classifier import Classifier
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
        soft = imitation_losses(
            self.task, answers, logits, self.temperature, self.classifier.deviation
        )
        hard = super().example_losses(inputs, targets, logits)
        return self.teacher_weight * soft + (1.0 - self.teacher_weight) * hard


def imitation_losses(
    task: str,
    answers: tf.Tensor,
    logits: tf.Tensor,
    temperature: float,
    deviation: tf.Tensor | float = 1.0,
) -> tf.Tensor:
    """How far a student's answers are from a teacher's, float32 [b]; 0 where they are equal.

    The divergence of the softened probabilities times the temperature squared, so that its
    gradients are of the size that those of the labels have; with several labels the mean over
    them, in a regression the squared difference.

    Args:
        task: "single_label", "multi_label" or "regression".
        answers: The teacher's logits, float32 [b, c].
        logits: The student's.
        temperature: What both are divided by; of no meaning in a regression.
        deviation: What differences are divided by in a regression, [] float32.
    """
    if task == "regression":
        return tf.square((logits[:, 0] - answers[:, 0]) / deviation)
    answers, logits = answers / temperature, logits / temperature
    if task == "multi_label":
        probabilities = tf.nn.sigmoid(answers)
        entropies = tf.nn.sigmoid_cross_entropy_with_logits(probabilities, logits)
        least = tf.nn.sigmoid_cross_entropy_with_logits(probabilities, answers)
        return temperature**2 * tf.reduce_mean(entropies - least, axis=-1)
    probabilities = tf.nn.softmax(answers)
    entropies = tf.nn.softmax_cross_entropy_with_logits(probabilities, logits)
    least = tf.nn.softmax_cross_entropy_with_logits(probabilities, answers)
    return temperature**2 * (entropies - least)
