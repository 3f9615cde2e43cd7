"""A step that also learns from the states at the boundary moved to where the loss is greater.

Miyato, Dai, Goodfellow 2017, "Adversarial Training Methods for Semi-Supervised Text
Classification": their embeddings are here the states at the frozen boundary, which are those that
the prefix cache keeps; at depth 0 the embeddings' output.
"""

from typing import Any

import tensorflow as tf

from tf_finetune.data.batch import Batch, Inputs, PackedTexts, States, Texts
from tf_finetune.training.step import TrainingStep


class AdversarialStep(TrainingStep):
    """The loss, and beside it that of the same texts with states moved towards a greater loss.

    Of the sum are the gradients; told is the loss of the texts as they are. Both are computed
    with the same units dropped, one after the other, so that memory holds one of them at a time.

    The arguments are those of `TrainingStep`, and:

    Args:
        epsilon: How far the states of a text are moved, all of them together.
    """

    def __init__(self, *arguments: Any, epsilon: float, **options: Any):
        super().__init__(*arguments, **options)
        self.epsilon = epsilon
        # A layer that is computed again has to give the gradient of what it reads, too.
        self.classifier.moves_boundary = True

    def piece_gradients(self, piece: Batch) -> tuple[tf.Tensor, list[tf.Tensor]]:
        """See `TrainingStep`."""
        variables = self.classifier.trainable_weights
        texts, plan = piece.inputs.texts, self.classifier.plan
        of_reads = plan.frozen_depth == plan.num_layers
        with tf.GradientTape(persistent=True, watch_accessed_variables=False) as tape:
            tape.watch(variables)
            with self.dropping(piece):
                states = self.classifier.states_of(piece.inputs, training=True)
            tape.watch(states)
            loss = self.piece_loss(piece, Inputs(States(states), texts))
            objective = self.optimizer_state.scaled(loss + self.penalty(piece))
            with tape.stop_recording():
                of_states, *first = tape.gradient(
                    objective,
                    [states, *variables],
                    unconnected_gradients=tf.UnconnectedGradients.ZERO,
                )
            numbers = _text_numbers(texts, of_reads=of_reads)
            moved = states + tf.cast(moves(of_states, numbers, self.epsilon), states.dtype)
            other = self.piece_loss(piece, Inputs(States(moved), texts))
            objective = self.optimizer_state.scaled(other)
        second = tape.gradient(
            objective, variables, unconnected_gradients=tf.UnconnectedGradients.ZERO
        )
        both = (self.dense(self.optimizer_state.unscaled(found)) for found in (first, second))
        return loss, [one + more for one, more in zip(*both, strict=True)]


def moves(gradient: tf.Tensor, numbers: tf.Tensor | None, epsilon: float) -> tf.Tensor:
    """What is added to states: of each text as long as `epsilon`, along its gradient.

    Args:
        gradient: Of the loss by states, [b, t, hidden].
        numbers: Which text of its row each state belongs to, int32 [b, t]; None: a row is a text.
        epsilon: The length; where the gradient is 0, nothing moves.

    Returns:
        float32 [b, t, hidden], without a gradient.
    """
    gradient = tf.cast(gradient, tf.float32)
    # Divided by the largest first: squares of small numbers are 0 in float32.
    largest = tf.reduce_max(tf.abs(gradient), axis=[1, 2], keepdims=True)
    gradient = tf.math.divide_no_nan(gradient, largest)
    squares = tf.reduce_sum(tf.square(gradient), axis=2)
    if numbers is None:
        sums = tf.reduce_sum(squares, axis=1, keepdims=True)
    else:
        same = numbers[:, :, None] == numbers[:, None, :]
        # Not as a matrix product, which devices may compute in less than float32.
        sums = tf.reduce_sum(tf.where(same, squares[:, None, :], 0.0), axis=2)
    direction = tf.math.divide_no_nan(gradient, tf.sqrt(sums)[:, :, None])
    return tf.stop_gradient(epsilon * direction)


def _text_numbers(texts: Texts | PackedTexts, *, of_reads: bool) -> tf.Tensor | None:
    """As `moves` takes them: of all tokens, or of the reads, which the last layer gives alone."""
    if isinstance(texts, Texts):
        return None
    if of_reads:
        return tf.gather(texts.segment_ids, texts.reads, batch_dims=1)
    return texts.segment_ids
