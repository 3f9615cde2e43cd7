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
        task, deviation = self.of_labels.task, self.of_labels.classifier.deviation
        soft = imitation_losses(task, answers, logits, self.temperature, deviation)
        hard = self.of_labels(inputs, targets, logits)
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
