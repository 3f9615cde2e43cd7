"""How much the loss depends on each attention head.

Michel, Levy, Neubig 2019, "Are Sixteen Heads Really Better than One?": the size of the loss's
derivative by a factor in front of the head, of each example by itself, in the mean.
"""

from typing import Any

import numpy as np
import tensorflow as tf

from tf_finetune.data.splits import Split
from tf_finetune.export.smaller.cutting import Heads
from tf_finetune.models.classifier import Classifier
from tf_finetune.tasks.table import TASKS
from tf_finetune.training.loss import LabelLoss
from tf_finetune.training.pipeline import BatchShape, evaluation_dataset, steps_per_epoch

# A thousand texts order heads as all of them do, near enough, and take seconds.
MOST_TEXTS = 1000


def head_importance(
    classifier: Classifier, split: Split, task: str, shape: BatchShape
) -> np.ndarray:
    """Importance of every head, float64 [layers, heads], each layer divided by its norm.

    Args:
        classifier: The trained model.
        split: Labelled texts that it was trained on, or like them; at most `MOST_TEXTS`, spread
            evenly over it, are used.
        task: Kind of the labels.
        shape: How batches are cut; one replica.
    """
    chosen = split.select(np.arange(0, len(split), -(-len(split) // MOST_TEXTS)))
    heads = classifier.files.sizes.heads
    size = (classifier.num_layers, heads)
    loss_of = LabelLoss(classifier, TASKS[task])

    @tf.function(autograph=False)
    def sizes(iterator: Any) -> tf.Tensor:
        batch = next(iterator)
        rows = tf.shape(batch.weights)[0]
        dtype = classifier.states_dtype
        masks = [tf.ones([rows, heads, 1, 1], dtype) for _ in range(classifier.num_layers)]
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(masks)
            logits = classifier.masked_logits(batch.inputs, masks)
            targets = tf.reshape(batch.targets, [-1, *batch.targets.shape[2:]])
            losses = loss_of(batch.inputs, targets, logits)
            # The rows do not touch each other, so the sum's derivatives are each one's; weights
            # are 0 where a row fills a batch up, or reads nothing.
            loss = tf.reduce_sum(losses * tf.reshape(batch.weights, [-1]))
        gradients = tape.gradient(loss, masks)
        by_row = tf.stack([tf.cast(g[:, :, 0, 0], tf.float32) for g in gradients])
        return tf.reduce_sum(tf.abs(by_row), axis=1)

    total = np.zeros(size)
    iterator = iter(evaluation_dataset(chosen, shape))
    for _ in range(steps_per_epoch(len(chosen), shape.batch_size)):
        total += sizes(iterator).numpy()
    norms = np.linalg.norm(total, axis=1, keepdims=True)
    return np.divide(total, norms, out=np.zeros(size), where=norms > 0)


def least_important(importance: np.ndarray, count: int) -> Heads:
    """The heads that go, by layer; every layer keeps its most important one.

    Args:
        importance: [layers, heads].
        count: How many go, at most layers * (heads - 1).
    """
    free = importance.copy()
    layers, heads = importance.shape
    free[np.arange(layers), importance.argmax(axis=1)] = np.inf
    order = np.argsort(free, axis=None, kind="stable")[:count]
    chosen: dict[int, tuple[int, ...]] = {}
    for place in sorted(order.tolist()):
        layer, head = divmod(place, heads)
        chosen[layer] = (*chosen.get(layer, ()), head)
    return chosen
