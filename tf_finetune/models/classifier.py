"""What a model computes: an encoder cut at the frozen boundary, and a head."""

from collections.abc import Callable, Sequence
from functools import partial

import tensorflow as tf
import tf_keras

from tf_finetune.data.batch import Inputs, PackedTexts, States, Texts, Tokens
from tf_finetune.encoders.encoder import MASKED_SCORE, Run
from tf_finetune.encoders.family import Pooling
from tf_finetune.encoders.gelu import gelu
from tf_finetune.encoders.locating import EncoderFiles
from tf_finetune.models.changed_products import change_products
from tf_finetune.models.head_start import HeadStart
from tf_finetune.models.planned_model import PlannedModel
from tf_finetune.models.pooling import pooled, reads_of
from tf_finetune.models.recomputing import recomputed
from tf_finetune.plans.freezing import FreezePlan
from tf_finetune.tasks.output_scale import OutputScale


class Classifier(PlannedModel):
    """A sequence classifier of `transformers` with a frozen prefix and a trainable suffix.

    The wrapped model owns all variables; the family's encoder computes with its sublayers.
    This class walks embeddings, layers, pooler and head, so that the prefix runs in inference
    mode (Keras' `trainable=False` alone does not stop dropout) and the states at the boundary
    can be had by themselves.

    The arguments are those of `PlannedModel`.

    Attributes:
        encoder: How the wrapped model is computed.
        masked_score: What is added to the attention scores of padding.
        recompute: Whether trained layers are computed again in the backward pass.
        moves_boundary: Whether the gradient of the states at the frozen boundary is wanted.
    """

    def __init__(
        self,
        wrapped: tf_keras.Model,
        files: EncoderFiles,
        plan: FreezePlan,
        head: HeadStart | None = None,
        scale: OutputScale | None = None,
        anew: frozenset[str] = frozenset(),
    ):
        super().__init__(wrapped, files, plan, head, scale, anew)
        self.masked_score = MASKED_SCORE
        self.recompute = False
        self.moves_boundary = False
        self.encoder = files.family.encoder(wrapped, files.sizes)
        change_products(self.encoder, plan, self.by_path)

    @property
    def num_layers(self) -> int:
        """Number of encoder layers L."""
        return self.files.num_layers

    def call(self, inputs: Inputs, training: bool | None = None) -> tf.Tensor:
        """Computes logits.

        Args:
            inputs: Tokens, or states at the frozen boundary as `boundary_states` gives them.
            training: Whether dropout is on in the suffix.

        Returns:
            Logits of all texts, row after row, float32 [b * s, labels].
        """
        return self.classify(self.states_of(inputs, training), inputs.texts, training)

    def states_of(self, inputs: Inputs, training: bool | None) -> tf.Tensor:
        """States at the frozen boundary, computed or as they are given.

        Args:
            inputs: As for `call`.
            training: Whether trainable embeddings drop units.
        """
        if isinstance(inputs.content, States):
            return tf.cast(inputs.content.values, self.states_dtype)
        return self.boundary_states(inputs, training=training)

    @property
    def states_dtype(self) -> tf.DType:
        """Type in which states are computed."""
        return self.encoder.dtype

    def boundary_states(
        self, inputs: Inputs, *, from_depth: int = 0, training: bool | None = False
    ) -> tf.Tensor:
        """States at the frozen boundary, [b, t, hidden]; above the last layer [b, r, hidden].

        Args:
            inputs: Tokens, or states at `from_depth`.
            from_depth: Layers that states have passed already.
            training: Whether trainable embeddings drop units.
        """
        if isinstance(inputs.content, States):
            states = tf.cast(inputs.content.values, self.states_dtype)
        else:
            states = self.embed(inputs, training)
        for index in range(from_depth, self.plan.frozen_depth):
            states = self.encode(index, states, inputs.texts, training=False)
        return tf.stop_gradient(states) if self.plan.embeddings_frozen else states

    def embed(self, inputs: Inputs, training: bool | None) -> tf.Tensor:
        """Embeddings of tokens, [b, t, hidden]; without dropout where they are frozen.

        Raises:
            TypeError: The inputs hold states.
        """
        tokens, texts = inputs
        if not isinstance(tokens, Tokens):
            raise TypeError("states cannot be embedded")
        positions = texts.positions if isinstance(texts, PackedTexts) else None
        run = Run(training=bool(training) and not self.plan.embeddings_frozen)
        return self.encoder.embed(tokens.ids, tokens.type_ids, positions, run)

    def encode(
        self,
        index: int,
        states: tf.Tensor,
        texts: Texts | PackedTexts,
        training: bool | None,
        head_mask: tf.Tensor | None = None,
    ) -> tf.Tensor:
        """One encoder layer: [b, t, hidden] to [b, t, hidden], the last to [b, r, hidden].

        Where the head needs nothing but the reads, the last layer computes no other: keys and
        values of all tokens, query, attention and feed-forward part of the reads. Otherwise it
        ends in the mean, or the largest values, of each text's states.

        Args:
            index: Number of the layer.
            states: What the layer below gave.
            texts: Of the rows.
            training: Whether dropout is on.
            head_mask: What each attention head is multiplied with, [b, heads, 1, 1]; None: 1.
        """
        run = Run(bool(training), self.masked_score, head_mask)
        if isinstance(texts, PackedTexts):
            context = self.encoder.context(texts.segment_ids, packed=True, run=run)
        else:
            context = self.encoder.context(texts.mask, packed=False, run=run)
        pooling = self.files.pooling
        is_last = index == self.num_layers - 1
        reads = reads_of(pooling, texts) if is_last else None
        states = self.encoder.layer(index, states, context, reads, run)
        return pooled(pooling, states, texts) if is_last and reads is None else states

    def layer_summaries(self, inputs: Inputs, *, read: bool = False) -> tf.Tensor:
        """What each depth knows of a row, float32 [b, layers + 1, s, hidden], in inference mode.

        The mean state of each of its texts' tokens after the embeddings and each layer; after the
        last one what is read, which is what the head gets.

        Args:
            inputs: Tokens.
            read: Whether the same is read at every depth: s are then the reads of a row, and
                otherwise its texts.
        """
        texts = inputs.texts
        pooling = self.files.pooling if read else "mean"
        states = self.embed(inputs, training=False)
        summaries = []
        for index in range(self.num_layers):
            known = tf.cast(states, tf.float32)
            summaries.append(pooled(pooling, known, texts))
            states = self.encode(index, states, texts, training=False)
        return tf.stack([*summaries, tf.cast(states, tf.float32)], axis=1)

    def layer_reads(self, inputs: Inputs, poolings: Sequence[Pooling]) -> tf.Tensor:
        """What a head would read above each layer, float32 [layers, poolings, b * r, hidden].

        That is what it reads of an encoder that is cut there, in inference mode.

        Args:
            inputs: Tokens of one text a row.
            poolings: What is read, none of it through the pooler.

        Raises:
            TypeError: Rows hold several texts.
        """
        texts = inputs.texts
        if not isinstance(texts, Texts):
            raise TypeError("a row of several texts has no summary")
        states, run = self.embed(inputs, training=False), Run()
        context = self.encoder.context(texts.mask, packed=False, run=run)
        found = []
        for index in range(self.num_layers):
            states = self.encoder.layer(index, states, context, None, run)
            last = states
            if index < self.num_layers - 1:
                last = self.encoder.as_last(states)
            width = last.shape[-1]
            read = [tf.reshape(pooled(one, last, texts), [-1, width]) for one in poolings]
            found.append(tf.cast(tf.stack(read), tf.float32))
        return tf.stack(found)

    def classify(
        self, states: tf.Tensor, texts: Texts | PackedTexts, training: bool | None
    ) -> tf.Tensor:
        """From the states at the frozen boundary, as `encode` gives them, to logits as `call`'s."""
        return self._answer(self._top_states(states, texts, training), training)

    def _top_states(
        self, states: tf.Tensor, texts: Texts | PackedTexts, training: bool | None
    ) -> tf.Tensor:
        """From the states at the frozen boundary to what the last layer gives, [b, r, hidden]."""
        for index in range(self.plan.frozen_depth, self.num_layers):
            layer: Callable[[tf.Tensor], tf.Tensor] = partial(
                self.encode, index, texts=texts, training=training
            )
            if self.recompute and training:
                below = index > self.plan.frozen_depth or not self.plan.embeddings_frozen
                below |= self.moves_boundary
                layer = recomputed(layer, self.trainable_weights, below=below)
            states = layer(states)
        return states

    def head_vectors(self, inputs: Inputs, training: bool = False) -> tf.Tensor:
        """What the dense layer of the head gets of all texts, float32 [b * s, hidden].

        Args:
            inputs: As for `call`.
            training: Whether dropout is on.
        """
        states = self.states_of(inputs, training)
        states = self._top_states(states, inputs.texts, training)
        return tf.cast(self._pooled(states, training), tf.float32)

    def _answer(self, states: tf.Tensor, training: bool | None) -> tf.Tensor:
        """From what was read, [b, r, hidden], to logits [b * r, labels]."""
        return self.head_logits(self._pooled(states, training))

    def _pooled(self, states: tf.Tensor, training: bool | None) -> tf.Tensor:
        """From what was read, [b, r, hidden], to what the dense layer gets, [b * r, hidden]."""
        run = Run(training=bool(training))
        read = self.encoder.pool(states, run, pooler=self.files.has_pooler)
        return tf.reshape(read, [-1, states.shape[-1]])

    def head_logits(self, read: tf.Tensor) -> tf.Tensor:
        """From vectors as `head_vectors` gives them, [n, hidden], to logits [n, labels]."""
        # In float32 under every precision: half of it would round the answers to 3 digits.
        dense = self.files.family.places(self.wrapped).head
        logits = tf.matmul(tf.cast(read, tf.float32), tf.cast(dense.kernel, tf.float32))
        if dense.bias is not None:
            logits = tf.nn.bias_add(logits, tf.cast(dense.bias, tf.float32))
        return self.in_units(logits)

    def masked_logits(self, inputs: Inputs, head_masks: Sequence[tf.Tensor]) -> tf.Tensor:
        """Logits [b * s, labels] in inference mode, every attention head times a factor.

        Args:
            inputs: Tokens.
            head_masks: The factors of each layer, [b, heads, 1, 1].
        """
        states = self.embed(inputs, training=False)
        for index, head_mask in enumerate(head_masks):
            states = self.encode(index, states, inputs.texts, training=False, head_mask=head_mask)
        return self._answer(states, training=False)

    def replace_gelu(self, function: Callable[[tf.Tensor], tf.Tensor]) -> None:
        """Replaces the activation, where it is the exact GELU, by a function of the same values.

        By default it is one that keeps less for the backward pass.
        """
        for part in self.encoder.activated:
            if part.activation is gelu:
                part.activation = function
