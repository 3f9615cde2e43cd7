"""The loss of each example."""

import tensorflow as tf


def example_losses(
    task: str,
    targets: tf.Tensor,
    logits: tf.Tensor,
    label_smoothing: float = 0.0,
    deviation: tf.Tensor | float = 1.0,
) -> tf.Tensor:
    """Loss of each example, float32 [b].

    Args:
        task: "single_label" (cross-entropy), "multi_label" (binary cross-entropy, mean over
            the labels) or "regression" (squared error).
        targets: [b] int32 classes, [b, c] float32 zeros and ones, or [b] float32 values.
        logits: [b, c] float32; c = 1 for regression.
        label_smoothing: Share of the target spread evenly over all classes (Szegedy et al.
            2016); without meaning for regression.
        deviation: What errors are divided by in a regression, [] float32.
    """
    if task == "regression":
        return tf.square((logits[:, 0] - targets) / deviation)
    if task == "multi_label":
        targets = targets * (1 - label_smoothing) + 0.5 * label_smoothing
        entropies = tf.nn.sigmoid_cross_entropy_with_logits(targets, logits)
        return tf.reduce_mean(entropies, axis=-1)
    classes = tf.shape(logits)[1]
    one_hot = tf.one_hot(targets, classes)
    smoothed = one_hot * (1 - label_smoothing) + label_smoothing / tf.cast(classes, tf.float32)
    return tf.nn.softmax_cross_entropy_with_logits(smoothed, logits)
