"""How an encoder is computed whose layers normalise what they read and whose tokens look back.

That is a decoder without the part that writes: each token sees itself and those before it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import tensorflow as tf
import tf_keras

from tf_finetune.encoders.affine import Affine, Change
from tf_finetune.encoders.blocks import (
    Activation,
    LayerDropouts,
    SummedEmbeddings,
    attended,
    masked_scores,
    scores_of_queries,
)
from tf_finetune.encoders.dense_and_norm import normalised
from tf_finetune.encoders.encoder import Encoder, Run
from tf_finetune.encoders.heads import scaled_scores, split_heads
from tf_finetune.encoders.put_before import PutBefore


class StoredProduct(NamedTuple):
    """A dense layer of which the library's model keeps the bias as a matrix of one row.

    Attributes:
        kernel: [width, units].
        bias: [1, units].
        change: What a method makes of it; None: nothing.
    """

    kernel: tf.Variable
    bias: tf.Variable
    change: Change | None = None

    def __call__(self, x: tf.Tensor, *, training: bool = False) -> tf.Tensor:
        """[..., width] to [..., units], in the type of x."""
        affine = Affine(self.kernel, self.bias[0], x.dtype)
        return affine(x) if self.change is None else self.change(affine, x, training=training)

    def narrowed(
        self, rows: np.ndarray | slice = slice(None), units: np.ndarray | slice = slice(None)
    ) -> "StoredProduct":
        """One of new variables that has some rows and units of this one's matrix."""
        kernel, bias = self.kernel.numpy()[rows][:, units], self.bias.numpy()[:, units]
        return StoredProduct(tf.Variable(kernel), tf.Variable(bias))

    def parts(self, count: int) -> list["StoredProduct"]:
        """Products whose results lie side by side in this one's."""
        kernels = tf.split(self.kernel, count, axis=1)
        biases = tf.split(self.bias, count, axis=1)
        changes = [
            None if self.change is None else self.change.part(i, count) for i in range(count)
        ]
        return [StoredProduct(*parts) for parts in zip(kernels, biases, changes, strict=True)]


@dataclass
class CausalLayer:
    """Attention and a feed-forward part, each of what is normalised, and added to what is not.

    Attributes:
        name: Of its operations in a graph.
        attention_norm: Of what attention reads.
        query_key_value: The three side by side.
        attention_output: Of what attention gives.
        feed_forward_norm: Of what the feed-forward part reads.
        up: Its first product.
        down: Its second.
        last_norm: Of what the layer gives, above the last one; None elsewhere.
        activation: Between up and down.
        head_width: Units of an attention head.
        dropouts: Its own.
        put_before: Keys and values that stand before those of every text; None: none.
    """

    name: str
    attention_norm: tf_keras.layers.Layer
    query_key_value: StoredProduct
    attention_output: StoredProduct
    feed_forward_norm: tf_keras.layers.Layer
    up: StoredProduct
    down: StoredProduct
    last_norm: tf_keras.layers.Layer | None
    activation: Activation
    head_width: int
    dropouts: LayerDropouts
    put_before: PutBefore | None = field(default=None, kw_only=True)

    def narrowed(self, units: np.ndarray) -> dict[str, StoredProduct]:
        """New products, by name, that have some units of the attention heads alone."""
        hidden = self.attention_output.kernel.shape[0]
        of_all_three = np.concatenate([units + part * hidden for part in range(3)])
        return {
            "attention_output": self.attention_output.narrowed(rows=units),
            "query_key_value": self.query_key_value.narrowed(units=of_all_three),
        }

    def __call__(
        self, x: tf.Tensor, context: tf.Tensor, reads: tf.Tensor | None, run: Run
    ) -> tf.Tensor:
        """See `Encoder.layer`."""
        with tf.name_scope(self.name):
            with tf.name_scope("attention"):
                seen = self._attended(x, context, reads, run)
                added = self.attention_output(seen, training=run.training)
                if self.dropouts.attention is not None:
                    added = self.dropouts.attention(added, training=run.training)
                x = added + (x if reads is None else tf.gather(x, reads, batch_dims=1))
            with tf.name_scope("feed_forward"):
                up = self.up(normalised(self.feed_forward_norm, x), training=run.training)
                down = self.down(self.activation(up), training=run.training)
                x = x + self.dropouts.output(down, training=run.training)
            return x if self.last_norm is None else normalised(self.last_norm, x)

    def _attended(
        self, x: tf.Tensor, context: tf.Tensor, reads: tf.Tensor | None, run: Run
    ) -> tf.Tensor:
        """What each query sees, head beside head: [b, q, units of all heads]."""
        x = normalised(self.attention_norm, x)
        if reads is None:
            products = tf.split(self.query_key_value(x, training=run.training), 3, axis=-1)
        else:
            of_query, of_key, of_value = self.query_key_value.parts(3)
            products = (
                of_query(tf.gather(x, reads, batch_dims=1), training=run.training),
                of_key(x, training=run.training),
                of_value(x, training=run.training),
            )
            context = scores_of_queries(context, reads)
        query, key, value = (split_heads(product, self.head_width) for product in products)
        scores = scaled_scores(query, key) + context
        met = None if self.put_before is None else self.put_before.met_by(query)
        return attended(scores, value, self.dropouts.probabilities, run, met)


class CausalEncoder(Encoder):
    """GPT-2, and what is built like it; between the last norm and the head stands nothing.

    Args:
        embeddings: What the first layer reads.
        layers: In their order.
    """

    embeddings: SummedEmbeddings

    def __init__(self, embeddings: SummedEmbeddings, layers: Sequence[CausalLayer]):
        self.layers = layers
        of_layers = (dropout for layer in layers for dropout in layer.dropouts)
        found = (embeddings.dropout, *of_layers)
        self.dropouts = tuple(dropout for dropout in found if dropout is not None)
        self.embeddings = embeddings

    @property
    def dtype(self) -> tf.DType:
        """See `Encoder`."""
        return tf.as_dtype(self.embeddings.dtype)

    def changed(self, product: StoredProduct, change: Change) -> StoredProduct:
        """See `Encoder`."""
        return product._replace(change=change)

    def context(self, segment_ids: tf.Tensor, *, packed: bool, run: Run) -> tf.Tensor:
        """See `Encoder`; [b, 1, t, t], as no two tokens see the same."""
        scores = masked_scores(segment_ids, packed, run.masked_score, self.dtype)
        places = tf.range(tf.shape(segment_ids)[1])
        is_behind = tf.expand_dims(places, 0) > tf.expand_dims(places, 1)
        behind = tf.cast(is_behind, self.dtype) * tf.cast(run.masked_score, self.dtype)
        return tf.minimum(scores, behind)

    def as_last(self, x: tf.Tensor) -> tf.Tensor:
        """See `Encoder`."""
        return normalised(self.layers[-1].last_norm, x)

    def pool(self, x: tf.Tensor, run: Run, *, pooler: bool) -> tf.Tensor:
        """See `Encoder`."""
        return x
