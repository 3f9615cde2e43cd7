"""How far two outputs for each read are from where the answer begins and ends.

Both are a softmax over the reads of the row (J. Devlin et al., NAACL 2019, section 4.2). The loss
of a row is the mean of the two cross-entropies. Places behind a row's reads take no part.
"""

from typing import TYPE_CHECKING

import numpy as np
from scipy import special

if TYPE_CHECKING:
    import tensorflow as tf

# In place of the logit of what is not read: its share of a softmax is 0.
_NOTHING = -1e9


def span_losses(
    targets: "tf.Tensor", logits: "tf.Tensor", label_smoothing: float = 0.0
) -> "tf.Tensor":
    """Loss of each row, float32 [b].

    Args:
        targets: int32 [b, 3]: the read where the answer begins, that where it ends, and how
            many reads the row has.
        logits: float32 [b, r * 2], read after read.
        label_smoothing: Share of the target spread evenly over the row's reads.
    """
    import tensorflow as tf

    by_read = tf.reshape(logits, [tf.shape(logits)[0], -1, 2])
    is_read = (tf.range(tf.shape(by_read)[1]) < targets[:, 2:])[..., None]
    logarithms = tf.nn.log_softmax(tf.where(is_read, by_read, _NOTHING), axis=1)
    right = tf.one_hot(targets[:, :2], tf.shape(by_read)[1], axis=1)
    if label_smoothing:
        count = tf.cast(targets[:, 2:], tf.float32)[..., None]
        right = (1.0 - label_smoothing) * right + label_smoothing / count
    # What is not read has a logarithm of -1e9, and would count by rounding.
    found = tf.where(is_read, right * logarithms, 0.0)
    return -tf.reduce_sum(found, axis=[1, 2]) / 2.0


def scored_losses(by_read: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """The same without smoothing, float64 [n].

    Args:
        by_read: float [n, r, 2].
        targets: int [n, 3], as for `span_losses`.
    """
    is_read = np.arange(by_read.shape[1]) < targets[:, 2:]
    masked = np.where(is_read[..., None], by_read.astype(np.float64), -np.inf)
    logarithms = special.log_softmax(masked, axis=1)
    rows = np.arange(len(targets))
    start, end = targets[:, 0], targets[:, 1]
    found: np.ndarray = -(logarithms[rows, start, 0] + logarithms[rows, end, 1]) / 2
    return found


def span_imitation_losses(
    answers: "tf.Tensor", logits: "tf.Tensor", temperature: float
) -> "tf.Tensor":
    """How far a student's starts and ends are from a teacher's, float32 [b].

    Args:
        answers: The teacher's logits, float32 [b, r * 2]; both are exactly 0 of what is not read.
        logits: The student's.
        temperature: What both are divided by.
    """
    import tensorflow as tf

    shape = [tf.shape(logits)[0], -1, 2]
    wanted, found = tf.reshape(answers, shape), tf.reshape(logits, shape)
    is_read = tf.reduce_any(tf.not_equal(wanted, 0.0), axis=2, keepdims=True)
    teacher, student = (
        tf.nn.log_softmax(tf.where(is_read, one / temperature, _NOTHING), axis=1)
        for one in (wanted, found)
    )
    terms = tf.where(is_read, tf.exp(teacher) * (teacher - student), 0.0)
    return temperature**2 * tf.reduce_sum(terms, axis=[1, 2]) / 2.0
