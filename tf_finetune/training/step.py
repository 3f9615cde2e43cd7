"""What a replica computes of a global batch: an optimiser step, or the logits."""

import contextlib
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from tf_finetune.data.batch import Batch, Inputs, Scattered
from tf_finetune.encoders.dropout import dropout_position
from tf_finetune.models.classifier import Classifier
from tf_finetune.training.loss import Loss, by_row
from tf_finetune.training.method_upkeep import MethodUpkeep
from tf_finetune.training.optimizer_state import OptimizerState
from tf_finetune.training.pipeline import dropout_place, in_its_place, rows_of
from tf_finetune.training.running_mean import RunningMean
from tf_finetune.training.weight_average import WeightAverage


class TrainingStep:
    """Loss, gradients and update of one step.

    A step computes the weighted mean loss over the whole global batch, whatever number of
    replicas and micro-batches it is cut into: every piece divides by the weight of all.

    Args:
        classifier: The model.
        loss: Of each text.
        outputs: What the loss is of; from inputs in training, [n, width].
        optimizer_state: The optimiser.
        micro_batches: Pieces a replica computes one after the other to save memory.
        clip_norm: Longest global gradient norm, or None.
        for_xla: Whether XLA compiles the step; dropout is then computed in another way, to the
            same numbers.
        upkeep: What the method does beside gradients; None: nothing.
        average: Of the weights; None: none is kept.

    Attributes:
        mean_loss: Of the epoch so far.
    """

    def __init__(
        self,
        classifier: Classifier,
        loss: Loss,
        outputs: Callable[[Inputs], tf.Tensor],
        optimizer_state: OptimizerState,
        *,
        micro_batches: int = 1,
        clip_norm: float | None = None,
        for_xla: bool = False,
        upkeep: MethodUpkeep | None = None,
        average: WeightAverage | None = None,
    ):
        self.classifier = classifier
        self.loss = loss
        self.outputs = outputs
        self.optimizer_state = optimizer_state
        self.micro_batches = micro_batches
        self.clip_norm = clip_norm
        self.for_xla = for_xla
        self.upkeep = upkeep
        self.average = average
        self.mean_loss = RunningMean()

    def __call__(
        self, batch: Batch, asked_to_stop: tf.Tensor | float = 0.0
    ) -> dict[str, tf.Tensor]:
        """One optimiser step on this replica's piece of a global batch.

        Args:
            batch: The piece.
            asked_to_stop: 1 if this process was asked to stop, else 0; [] float32.

        Returns:
            `loss` (running mean of the epoch), `step_loss` and `gradient_norm` (before
            clipping) of the global batch, the losses of a regression in squared units of its
            targets, as a score's; `dropped`: whether one of them is not finite, so
            that the step changed nothing; `asked_to_stop`: over 0 if any process was.
        """
        loss, gradients = self.gradients(batch)
        asked = tf.identity(asked_to_stop)
        replicas = tf.distribute.get_replica_context()
        if replicas.num_replicas_in_sync > 1:
            loss, asked, *gradients = replicas.all_reduce("SUM", [loss, asked, *gradients])
        norm = tf.linalg.global_norm(gradients)
        if self.clip_norm is not None:
            gradients, _ = tf.clip_by_global_norm(gradients, self.clip_norm, use_norm=norm)
        is_good = self.optimizer_state.is_good(loss, norm)
        replicas.merge_call(self._update_if, args=(is_good, gradients))
        zero = tf.constant(0.0)
        loss *= tf.square(self.classifier.deviation)
        self.mean_loss.add(
            tf.where(is_good, loss, zero), tf.where(is_good, batch.whole.weight_sum, zero)
        )
        return {
            "loss": self.mean_loss.result(),
            "step_loss": loss,
            "gradient_norm": norm,
            "dropped": tf.logical_not(is_good),
            "asked_to_stop": asked,
        }

    def gradients(self, batch: Batch) -> tuple[tf.Tensor, list[tf.Tensor]]:
        """The batch's share of the global loss, and its gradients as dense tensors."""
        if self.micro_batches == 1:
            return self.piece_gradients(batch)
        rows = tf.shape(batch.weights)[0] // self.micro_batches

        def add_micro_batch(index: tf.Tensor, loss: tf.Tensor, sums: Any) -> Any:
            more_loss, more = self.piece_gradients(rows_of(batch, index * rows, rows))
            return index + 1, loss + more_loss, [a + b for a, b in zip(sums, more, strict=True)]

        zeros = [tf.zeros_like(v) for v in self.classifier.trainable_weights]
        # One after the other: in parallel they would need the memory that they save.
        _, loss, gradients = tf.while_loop(
            lambda index, *_: index < self.micro_batches,
            add_micro_batch,
            (tf.constant(0), tf.constant(0.0), zeros),
            parallel_iterations=1,
            maximum_iterations=self.micro_batches,
        )
        return loss, gradients

    def piece_gradients(self, piece: Batch) -> tuple[tf.Tensor, list[tf.Tensor]]:
        """As `gradients`, of a piece that is computed at once."""
        variables = self.classifier.trainable_weights
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(variables)
            loss = self.piece_loss(piece, piece.inputs)
            objective = self.optimizer_state.scaled(loss + self.penalty(piece))
        # A head that is solved has no part in the loss.
        found = tape.gradient(
            objective, variables, unconnected_gradients=tf.UnconnectedGradients.ZERO
        )
        return loss, self.dense(self.optimizer_state.unscaled(found))

    def piece_loss(self, piece: Batch, inputs: Inputs) -> tf.Tensor:
        """A piece's share of the loss of the global batch, [] float32.

        Args:
            piece: The piece.
            inputs: What the model reads of it: its own, or states in their place.
        """
        with self.dropping(piece):
            outputs = self.outputs(inputs)
        targets = tf.reshape(piece.targets, [-1, *piece.targets.shape[2:]])
        losses = self.loss(piece.inputs, targets, outputs)
        loss: tf.Tensor = tf.reduce_sum(losses * tf.reshape(piece.weights, [-1]))
        return loss / piece.whole.weight_sum

    def penalty(self, piece: Batch) -> tf.Tensor:
        """A piece's share of what the method makes smaller beside the loss, [] float32."""
        if self.upkeep is None:
            return tf.constant(0.0)
        share = tf.reduce_sum(piece.weights) / piece.whole.weight_sum
        return share * self.upkeep.penalty()

    def dropping(self, piece: Batch) -> contextlib.AbstractContextManager[None]:
        """Says for dropout where a piece stands, inside a `with` block."""
        return dropout_position(*dropout_place(piece), for_xla=self.for_xla)

    def dense(self, gradients: list[Any]) -> list[tf.Tensor]:
        """Gradients of what trains, each of its variable's shape.

        Word embeddings come as slices that may name a row twice; only summed rows have the norm
        of the gradient.
        """
        variables = self.classifier.trainable_weights
        return [
            tf.ensure_shape(tf.convert_to_tensor(gradient), variable.shape)
            for gradient, variable in zip(gradients, variables, strict=True)
        ]

    def _update_if(
        self, strategy: tf.distribute.Strategy, is_good: Any, gradients: list[Any]
    ) -> None:
        """Updates on all replicas or on none: a condition cannot hold a merge of replicas."""
        state, upkeep, average = self.optimizer_state, self.upkeep, self.average

        def update(gradients: list[tf.Tensor]) -> None:
            before = tf.identity(state.iterations)
            state.optimizer.apply_gradients(
                zip(gradients, self.classifier.trainable_weights, strict=True),
                skip_gradients_aggregation=True,
            )
            if upkeep is not None:
                upkeep.after_update(gradients, before, state)
            if average is not None:
                average.after_update(before, state)

        def update_all() -> tf.Operation:
            strategy.extended.call_for_each_replica(update, args=(gradients,))
            return tf.no_op()

        # After an all-reduce it is the same on each.
        tf.cond(strategy.experimental_local_results(is_good)[0], update_all, tf.no_op)


def whole_logits(
    classifier: Classifier, batch: Batch, asked_to_stop: tf.Tensor | float = 0.0
) -> tuple[tf.Tensor, tf.Tensor]:
    """Logits of the whole global batch, float32 [b, r * labels]; see `whole_rows`."""
    logits = classifier(batch.inputs, training=False)
    return whole_rows(by_row(logits, batch.inputs), batch, asked_to_stop)


def whole_vectors(
    classifier: Classifier, batch: Batch, asked_to_stop: tf.Tensor | float = 0.0
) -> tuple[tf.Tensor, tf.Tensor]:
    """What the head gets of the whole global batch, float32 [b, r * hidden]; see `whole_rows`."""
    vectors = classifier.head_vectors(batch.inputs)
    return whole_rows(by_row(vectors, batch.inputs), batch, asked_to_stop)


def whole_rows(
    rows: tf.Tensor, batch: Batch, asked_to_stop: tf.Tensor | float
) -> tuple[tf.Tensor, tf.Tensor]:
    """Rows of the whole global batch, of which this replica computed a piece.

    Every process gets all, because every one scores. See `TrainingStep` for `asked_to_stop`.

    Args:
        rows: Of the piece, [rows, width] float32.
        batch: The piece.
        asked_to_stop: 1 if this process was asked to stop, else 0.
    """
    asked = tf.identity(asked_to_stop)
    replicas = tf.distribute.get_replica_context()
    if isinstance(batch.place, Scattered):
        real = tf.where(tf.reduce_any(batch.weights > 0, axis=1, keepdims=True), rows, 0.0)
        shape = tf.stack([batch.place.count, tf.shape(rows)[1]])
        rows = tf.scatter_nd(batch.place.places[:, None], real, shape)
    elif replicas.num_replicas_in_sync > 1:
        rows = in_its_place(rows, batch.place.first, replicas.num_replicas_in_sync)
    if replicas.num_replicas_in_sync > 1:
        # A sum with zeros is exact, and needs no order of the replicas.
        rows, asked = replicas.all_reduce("SUM", [rows, asked])
    return rows, asked
