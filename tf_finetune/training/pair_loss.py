"""How far the cosine of two vectors is from 1 where labels are equal, and from 0 elsewhere."""

import tensorflow as tf

from tf_finetune.data.batch import Inputs


class PairLoss:
    """Squared error of the cosine, as SetFit has it (L. Tunstall et al. 2022); see `loss.Loss`."""

    def __call__(self, inputs: Inputs, targets: tf.Tensor, vectors: tf.Tensor) -> tf.Tensor:
        """Losses of some texts, each that of its pair, float32 [n].

        Args:
            inputs: Of the texts.
            targets: Those of n texts, the two of a pair beside each other.
            vectors: What the head would get of them, [n, hidden].
        """
        width = vectors.shape[-1]
        pairs = tf.reshape(tf.math.l2_normalize(vectors, axis=-1), [-1, 2, width])
        cosine = tf.reduce_sum(pairs[:, 0] * pairs[:, 1], axis=-1)
        labels = tf.reshape(targets, [tf.shape(pairs)[0], 2, -1])
        same = tf.reduce_all(tf.equal(labels[:, 0], labels[:, 1]), axis=-1)
        losses = tf.square(cosine - tf.cast(same, cosine.dtype))
        return tf.reshape(tf.stack([losses, losses], axis=1), [-1])
