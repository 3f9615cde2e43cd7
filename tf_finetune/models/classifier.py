"""The Keras model: a `transformers` sequence classifier cut at the frozen boundary."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property

import numpy as np
import tensorflow as tf
import tf_keras

from tf_finetune.data.batch import Inputs, PackedTexts, States, Texts, Tokens
from tf_finetune.encoders.encoder import MASKED_SCORE, Run
from tf_finetune.encoders.gelu import gelu
from tf_finetune.encoders.locating import EncoderFiles
from tf_finetune.encoders.variables import Kind, Variable
from tf_finetune.models.head_start import HeadStart, new_head
from tf_finetune.models.initial_values import initial_values
from tf_finetune.plans.freezing import FreezePlan
from tf_finetune.storage.files import file_sha256
from tf_finetune.tasks.output_scale import OutputScale


class Classifier(tf_keras.Model):
    """A sequence classifier of `transformers` with a frozen prefix and a trainable suffix.

    The wrapped model owns all variables; the family's encoder computes with its sublayers.
    This class walks embeddings, layers, pooler and head, so that the prefix runs in inference
    mode (Keras' `trainable=False` alone does not stop dropout) and the states at the boundary
    can be had by themselves.

    Args:
        wrapped: The `transformers` model, built and filled.
        files: The encoder it came from.
        plan: The freeze plan, applied here through `trainable` flags.
        head: Which rows of the encoder's own head the head begins with; None: none.
        scale: Of a regression's targets: what the head computes is standardised, and answered
            is that times the deviation plus the mean. None: what the head computes is answered.

    Attributes:
        encoder: How the wrapped model is computed.
        masked_score: What is added to the attention scores of padding.
    """

    def __init__(
        self,
        wrapped: tf_keras.Model,
        files: EncoderFiles,
        plan: FreezePlan,
        head: HeadStart | None = None,
        scale: OutputScale | None = None,
    ):
        super().__init__(name="classifier")
        self.wrapped = wrapped
        self.files = files
        self.plan = plan
        self.head = head or new_head(int(wrapped.config.num_labels))
        self._scale = scale
        if scale is not None:  # not among the model's variables: the plan knows nothing of them
            options = {"trainable": False, "dtype": tf.float32}
            self._mean = tf.Variable(scale.mean, name="target_mean", **options)
            self._deviation = tf.Variable(scale.deviation, name="target_deviation", **options)
        self.masked_score = MASKED_SCORE
        self.encoder = files.family.encoder(wrapped, files.sizes)
        real = {variable_path(v): v for v in wrapped.weights}
        self._check_plan_covers_variables(real)
        # Keras lists trainable weights first, so its order depends on earlier flags.
        self._by_path = {row.path: real[row.path] for row in plan.rows}
        self._apply_trainable_flags()

    @property
    def num_layers(self) -> int:
        """Number of encoder layers L."""
        return self.files.num_layers

    @property
    def by_path(self) -> Mapping[str, tf.Variable]:
        """Every variable by its path, in forward order."""
        return self._by_path

    @property
    def trainable_weights(self) -> list[tf.Variable]:
        """What the plan trains; finer than Keras' flags, which know layers only."""
        return [v for path, v in self._by_path.items() if path in self.plan.trainable_paths]

    @property
    def non_trainable_weights(self) -> list[tf.Variable]:
        """What the plan freezes."""
        return [v for path, v in self._by_path.items() if path not in self.plan.trainable_paths]

    def call(self, inputs: Inputs, training: bool | None = None) -> tf.Tensor:
        """Computes logits.

        Args:
            inputs: Tokens, or states at the frozen boundary as `boundary_states` gives them.
            training: Whether dropout is on in the suffix.

        Returns:
            Logits of all texts, row after row, float32 [b * s, labels].
        """
        if isinstance(inputs.content, States):
            states = tf.cast(inputs.content.values, self.states_dtype)
        else:
            states = self.boundary_states(inputs, training=training)
        return self.classify(states, inputs.texts, training)

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

        The head needs nothing but the reads, so the last layer computes no other: keys and
        values of all tokens, query, attention and feed-forward part of the reads.

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
        reads = texts.reads if index == self.num_layers - 1 else None
        return self.encoder.layer(index, states, context, reads, run)

    def layer_summaries(self, inputs: Inputs, *, read: bool = False) -> tf.Tensor:
        """What each depth knows of a text, float32 [b, layers + 1, hidden], in inference mode.

        The mean state of its tokens after the embeddings and each layer; after the last one
        that of the read, which is what the head gets.

        Args:
            inputs: Tokens of one text a row, of which one is read.
            read: Whether the state of the read is taken at every depth.

        Raises:
            TypeError: Rows hold several texts.
        """
        texts = inputs.texts
        if not isinstance(texts, Texts):
            raise TypeError("a row of several texts has no summary")
        mask = tf.cast(texts.mask[:, :, None], tf.float32)
        states = self.embed(inputs, training=False)
        summaries = []
        for index in range(self.num_layers):
            known = tf.cast(states, tf.float32)
            if read:
                summaries.append(tf.gather(known, texts.reads, batch_dims=1)[:, 0])
            else:
                summaries.append(tf.reduce_sum(known * mask, axis=1) / tf.reduce_sum(mask, axis=1))
            states = self.encode(index, states, texts, training=False)
        return tf.stack([*summaries, tf.cast(states[:, 0], tf.float32)], axis=1)

    def classify(
        self, states: tf.Tensor, texts: Texts | PackedTexts, training: bool | None
    ) -> tf.Tensor:
        """From the states at the frozen boundary, as `encode` gives them, to logits as `call`'s."""
        for index in range(self.plan.frozen_depth, self.num_layers):
            states = self.encode(index, states, texts, training)
        return self._answer(states, training)

    def _answer(self, states: tf.Tensor, training: bool | None) -> tf.Tensor:
        """From the states of the reads, [b, r, hidden], to logits [b * r, labels]."""
        pooled = self.encoder.pool(states, Run(training=bool(training)))
        pooled = tf.reshape(pooled, [-1, states.shape[-1]])
        # In float32 under every precision: half of it would round the answers to 3 digits.
        dense = self.files.family.places(self.wrapped).head
        pooled, kernel, bias = (tf.cast(t, tf.float32) for t in (pooled, dense.kernel, dense.bias))
        logits = tf.nn.bias_add(tf.matmul(pooled, kernel), bias)
        return logits if self._scale is None else logits * self._deviation + self._mean

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

    @property
    def scale(self) -> OutputScale | None:
        """The scale of the targets that the head is trained for, if it is."""
        return self._scale

    def rescale(self, scale: OutputScale | None) -> None:
        """Takes the scale of other training targets; nothing is traced again. `reset` it then.

        Raises:
            ValueError: A model that was built without a scale gets one, or the other way round.
        """
        if (scale is None) != (self._scale is None):
            raise ValueError("the scale of a model's outputs changes, it neither comes nor goes")
        self._scale = scale
        if scale is not None:
            self._mean.assign(scale.mean)
            self._deviation.assign(scale.deviation)

    @property
    def head_paths(self) -> frozenset[str]:
        """Paths of the head's variables."""
        return frozenset(row.path for row in self.plan.rows if row.part == "head")

    @property
    def deviation(self) -> tf.Tensor:
        """What errors of a regression are divided by in its loss, [] float32; 1 without a scale."""
        return tf.constant(1.0) if self._scale is None else tf.identity(self._deviation)

    def initial_values(
        self, seed: int, only: frozenset[str] | None = None
    ) -> Iterator[tuple[str, np.ndarray]]:
        """Values before fine-tuning by path; see `pretrained.initial_values`."""
        return initial_values(
            self.files, self.table, seed, head=self.head, scale=self._scale, only=only
        )

    def reset(self, seed: int) -> None:
        """Puts the trainable variables back to their values before fine-tuning.

        The head too where it is frozen: what it holds depends on the scale.
        """
        self.set_values(self.initial_values(seed, self.plan.trainable_paths | self.head_paths))

    @cached_property
    def encoder_sha256(self) -> str:
        """SHA-256 of the encoder's weights file, hex."""
        return file_sha256(self.files.weights)

    def trainable_values(self) -> dict[str, np.ndarray]:
        """Copies of the trainable variables by path, float32."""
        return {
            path: v.numpy()
            for path, v in self._by_path.items()
            if path in self.plan.trainable_paths
        }

    def set_values(
        self, values: Mapping[str, np.ndarray] | Iterable[tuple[str, np.ndarray]]
    ) -> None:
        """Assigns variables by path."""
        for path, value in values.items() if isinstance(values, Mapping) else values:
            self._by_path[path].assign(value)

    def replace_variable(self, path: str, variable: tf.Variable) -> None:
        """Puts another variable, of a layer that was replaced, in the place of one."""
        if path not in self._by_path:
            raise KeyError(path)
        self._by_path[path] = variable

    def replace_gelu(self, function: Callable[[tf.Tensor], tf.Tensor]) -> None:
        """Replaces the activation, where it is the exact GELU, by a function of the same values.

        By default it is one that keeps less for the backward pass.
        """
        for layer in self.encoder.layers:
            if layer.activation is gelu:
                layer.activation = function

    @property
    def table(self) -> tuple[Variable, ...]:
        """The expected variables of this model, in forward order."""
        num_labels = int(self.wrapped.config.num_labels)
        return self.files.family.variables(self.files.config, num_labels)

    def of_kinds(self, *kinds: Kind) -> list[tf.Variable]:
        """Variables of some kinds, in forward order."""
        return [self._by_path[v.path] for v in self.table if v.kind in kinds]

    def _check_plan_covers_variables(self, real: Mapping[str, tf.Variable]) -> None:
        planned = {row.path: row.count for row in self.plan.rows}
        counts = {path: int(np.prod(v.shape)) for path, v in real.items()}
        if planned != counts:
            different = sorted(set(planned.items()) ^ set(counts.items()))
            raise ValueError(f"plan and model differ in their variables: {different[:6]}")

    def _apply_trainable_flags(self) -> None:
        self.wrapped.trainable = True
        places = self.files.family.places(self.wrapped)
        for layer in places.embeddings:
            layer.trainable = not self.plan.embeddings_frozen
        for index, layer in enumerate(places.layers):
            layer.trainable = not self.plan.layer_is_frozen(index)
        for part, layers in (("pooler", places.pooler), ("head", [places.head])):
            for layer in layers:
                layer.trainable = any(r.trainable for r in self.plan.rows if r.part == part)


def variable_path(variable: tf.Variable) -> str:
    """Name of a variable without the model's own name and the output index."""
    return variable.name.split("/", 1)[1].rsplit(":", 1)[0]
