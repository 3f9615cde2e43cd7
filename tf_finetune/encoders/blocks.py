"""How an encoder is computed from the sublayers of the library's model.

The library's model holds the variables; its dense layers and norms are computed here one by one.
So fewer queries than keys, rows of several texts, dropout by position and a softmax in float32
are arguments, and nothing of the library has to be replaced.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple

import numpy as np
import tensorflow as tf
import tf_keras
from transformers.activations_tf import get_tf_activation

from tf_finetune.encoders.dense_and_norm import dense, narrowed, normalised
from tf_finetune.encoders.distances import Distances
from tf_finetune.encoders.dropout import PositionalDropout
from tf_finetune.encoders.encoder import Encoder, Run
from tf_finetune.encoders.family import Sizes
from tf_finetune.encoders.gelu import gelu
from tf_finetune.encoders.heads import number_of_rows, scaled_scores, split_heads
from tf_finetune.encoders.put_before import Met, PutBefore

_SITES_OF_A_LAYER = 3  # but for that of distances, behind the pooler's

Activation = Callable[[tf.Tensor], tf.Tensor]


class LayerDropouts(NamedTuple):
    """The dropouts of a layer, in the order in which they are called.

    Attributes:
        probabilities: Of attention.
        attention: Of what attention gives; None where that is not dropped.
        output: Of what the feed-forward part gives.
        distances: Of the vectors of distances; None where the layer reads none.
    """

    probabilities: PositionalDropout
    attention: PositionalDropout | None
    output: PositionalDropout
    distances: PositionalDropout | None = None


def head_dropout(rate: float) -> PositionalDropout:
    """Before the head. The number of every site decides which units a seed drops."""
    return PositionalDropout(rate, 0)


def embeddings_dropout(rate: float) -> PositionalDropout:
    """After the embeddings."""
    return PositionalDropout(rate, 1)


def layer_dropouts(
    index: int, hidden: float, attention: float, sizes: Sizes, *, attended: bool = True
) -> LayerDropouts:
    """Of the layer that is computed at this place, whether or not others share its weights.

    Args:
        index: The place.
        hidden: Probability that a unit of a state is dropped.
        attention: The same of an attention probability.
        sizes: Of the encoder.
        attended: Whether what attention gives is dropped.
    """
    first = _first_site(index)
    # Of one read a row has heads x length probabilities in the last layer, and length is even.
    whole_blocks = index < sizes.layers - 1 or sizes.heads % 2 == 0
    return LayerDropouts(
        PositionalDropout(attention, first, whole_blocks),
        PositionalDropout(hidden, first + 1) if attended else None,
        PositionalDropout(hidden, first + 2),
    )


def pooler_dropout(rate: float, sizes: Sizes) -> PositionalDropout:
    """Before a pooler that has one."""
    return PositionalDropout(rate, _first_site(sizes.layers))


def distances_dropout(index: int, rate: float, sizes: Sizes) -> PositionalDropout:
    """Of the vectors of distances that the layer at this place reads, one for all texts."""
    return PositionalDropout(rate, _first_site(sizes.layers) + 1 + index, shared=True)


def _first_site(layer: int) -> int:
    return 2 + layer * _SITES_OF_A_LAYER


def activation(name: str) -> Activation:
    """The library's activation, or for "gelu" one that keeps less for the backward pass."""
    return gelu if name == "gelu" else get_tf_activation(name)


@dataclass
class SummedEmbeddings:
    """Rows of tables, added up and normalised.

    Attributes:
        words: [vocabulary, width].
        positions: [positions, width]; None where the family has none.
        types: [types, width]; None where the family has none.
        norm: Of the sum; None where it is not normalised.
        dropout: Of the normalised sum.
        dtype: In which it is computed.
        first_position: Row of `positions` that a text's first token takes.
        projection: Dense layer from width to hidden; None where they are the same.
    """

    words: tf.Variable
    positions: tf.Variable | None
    types: tf.Variable | None
    norm: tf_keras.layers.Layer | None
    dropout: PositionalDropout
    dtype: str
    first_position: int = 0
    projection: tf_keras.layers.Dense | None = None

    def __call__(
        self, token_ids: tf.Tensor, type_ids: tf.Tensor, positions: tf.Tensor | None, run: Run
    ) -> tf.Tensor:
        """[b, t, hidden] of ids [b, t]; positions None: each row counts from 0."""
        with tf.name_scope("embeddings"):
            # A GPU would read zeros there.
            tf.debugging.assert_less(token_ids, self.words.shape[0], "a token id is too large")
            tables = [(self.words, token_ids)]
            if self.positions is not None:
                if positions is None:
                    positions = tf.range(tf.shape(token_ids)[1])[None]
                if self.first_position:
                    positions = positions + self.first_position
                tables.append((self.positions, positions))
            if self.types is not None:
                # Of one type alone it is everybody's, whatever a tokenizer says.
                tables.append((self.types, type_ids if self.types.shape[0] > 1 else 0 * type_ids))
            total, *others = (tf.cast(tf.gather(table, ids), self.dtype) for table, ids in tables)
            for rows in others:
                total = total + rows
            total = total if self.norm is None else normalised(self.norm, total)
            result = self.dropout(total, training=run.training)
            return result if self.projection is None else dense(self.projection, result)


@dataclass
class Pooler:
    """What stands between the last layer and the dropout of the head.

    Attributes:
        dense: With its activation.
        activation: Of its output, where it has none of its own.
        dropout: Of what it reads; None where that is not dropped.
    """

    dense: tf_keras.layers.Dense
    activation: Activation | None = None
    dropout: PositionalDropout | None = None

    def __call__(self, x: tf.Tensor, run: Run) -> tf.Tensor:
        """[b, r, hidden], both."""
        if self.dropout is not None:
            x = self.dropout(x, training=run.training)
        pooled = dense(self.dense, x)
        return pooled if self.activation is None else self.activation(pooled)


@dataclass
class PostNormLayer:
    """Attention and a feed-forward part, each added to its input and normalised.

    Attributes:
        name: Of its operations in a graph.
        query: Dense layer, as are `key`, `value`, `attention_output`, `up` and `down`.
        attention_norm: Layer norm, as is `output_norm`.
        activation: Between up and down.
        head_width: Units of an attention head.
        dropouts: Its own.
        put_before: Keys and values that stand before those of every text; None: none.
        terms: Of an attention score.
    """

    terms: ClassVar[int] = 1

    name: str
    query: tf_keras.layers.Dense
    key: tf_keras.layers.Dense
    value: tf_keras.layers.Dense
    attention_output: tf_keras.layers.Dense
    attention_norm: tf_keras.layers.Layer
    up: tf_keras.layers.Dense
    down: tf_keras.layers.Dense
    output_norm: tf_keras.layers.Layer
    activation: Activation
    head_width: int
    dropouts: LayerDropouts
    put_before: PutBefore | None = field(default=None, kw_only=True)

    @property
    def by_head(self) -> tuple[str, ...]:
        """Names of its dense layers that give units of attention heads."""
        return ("query", "key", "value")

    def narrowed(self, units: np.ndarray) -> dict[str, tf_keras.layers.Dense]:
        """New layers, by name, that have some units of the attention heads alone."""
        output = narrowed(self.attention_output, rows=units)
        others = {name: narrowed(getattr(self, name), units=units) for name in self.by_head}
        return {"attention_output": output, **others}

    def __call__(
        self, x: tf.Tensor, context: tf.Tensor, reads: tf.Tensor | None, run: Run
    ) -> tf.Tensor:
        """See `Encoder.layer`."""
        with tf.name_scope(self.name):
            queries = x
            if reads is not None:
                queries = tf.gather(x, reads, batch_dims=1)
                context = scores_of_queries(context, reads)
            with tf.name_scope("attention"):
                attended = self._attended(queries, x, context, reads, run)
                attended = dense(self.attention_output, attended, training=run.training)
                if self.dropouts.attention is not None:
                    attended = self.dropouts.attention(attended, training=run.training)
                attended = normalised(self.attention_norm, attended + queries)
            with tf.name_scope("feed_forward"):
                inner = self.activation(dense(self.up, attended, training=run.training))
                down = dense(self.down, inner, training=run.training)
                result = self.dropouts.output(down, training=run.training)
                return normalised(self.output_norm, result + attended)

    def _attended(
        self,
        queries: tf.Tensor,
        x: tf.Tensor,
        context: tf.Tensor,
        reads: tf.Tensor | None,
        run: Run,
    ) -> tf.Tensor:
        """What each query sees, head beside head: [b, q, units of all heads]."""
        products = (
            dense(self.query, queries, training=run.training),
            dense(self.key, x, training=run.training),
            dense(self.value, x, training=run.training),
        )
        query, key, value = (split_heads(product, self.head_width) for product in products)
        scores = self._scores(query, key, reads, run) + context
        met = None if self.put_before is None else self.put_before.met_by(query, self.terms)
        return attended(scores, value, self.dropouts.probabilities, run, met)

    def _scores(
        self, query: tf.Tensor, key: tf.Tensor, reads: tf.Tensor | None, run: Run
    ) -> tf.Tensor:
        """How much each query asks for each key, [b, heads, q, t]."""
        return scaled_scores(query, key)


class PostNormEncoder(Encoder):
    """BERT, and what is built like it.

    Args:
        embeddings: What the first layer reads.
        layers: In their order.
        pooler: Above them.
        head_dropout: Between the pooler and the head.
        distances: What every layer adds to its attention scores; None: nothing.
    """

    def __init__(
        self,
        embeddings: SummedEmbeddings,
        layers: Sequence[PostNormLayer],
        pooler: Pooler,
        head_dropout: PositionalDropout,
        distances: Distances | None = None,
    ):
        self.layers = layers
        of_layers = (dropout for layer in layers for dropout in layer.dropouts)
        found = (head_dropout, embeddings.dropout, *of_layers, pooler.dropout)
        self.dropouts = tuple(dropout for dropout in found if dropout is not None)
        self.embeddings = embeddings
        self._pooler = pooler
        self._head_dropout = head_dropout
        self._distances = distances

    @property
    def activated(self) -> Sequence[Any]:
        """See `Encoder`."""
        return (*self.layers, self._pooler)

    @property
    def dtype(self) -> tf.DType:
        """See `Encoder`."""
        return tf.as_dtype(self.layers[0].output_norm.compute_dtype)

    def context(self, segment_ids: tf.Tensor, *, packed: bool, run: Run) -> tf.Tensor:
        """See `Encoder`."""
        scores = masked_scores(segment_ids, packed, run.masked_score, self.dtype)
        if self._distances is None:
            return scores
        return scores + self._distances(tf.shape(segment_ids)[1], self.dtype)

    def pool(self, x: tf.Tensor, run: Run, *, pooler: bool) -> tf.Tensor:
        """See `Encoder`."""
        if pooler:
            x = self._pooler(x, run)
        return self._head_dropout(x, training=run.training)


def attended(
    scores: tf.Tensor,
    value: tf.Tensor,
    dropout: PositionalDropout,
    run: Run,
    met: Met | None = None,
) -> tf.Tensor:
    """What each query sees, head beside head: [b, q, units of all heads].

    Args:
        scores: With the context, [b, heads, q, t].
        value: [b, heads, t, head_width].
        dropout: Of the probabilities.
        run: How.
        met: What stands before all keys and values; None: nothing.
    """
    if met is not None:
        scores = tf.concat([met.scores, scores], axis=-1)
    # A sum of many bfloat16 or float16 numbers loses what each adds.
    probabilities = tf.nn.softmax(tf.cast(scores, tf.float32))
    probabilities = tf.cast(probabilities, scores.dtype)
    probabilities = dropout(probabilities, training=run.training)
    if run.head_factors is not None:
        probabilities *= run.head_factors
    if met is None:
        seen = tf.matmul(probabilities, value)
    else:
        rows = met.values.shape[2]
        seen = tf.matmul(probabilities[..., :rows], met.values)
        seen += tf.matmul(probabilities[..., rows:], value)
    seen = tf.transpose(seen, [0, 2, 1, 3])
    return tf.reshape(seen, [number_of_rows(value), -1, value.shape[1] * value.shape[3]])


def masked_scores(
    segment_ids: tf.Tensor, packed: bool, masked_score: float, dtype: tf.DType
) -> tf.Tensor:
    """0 where a token may look and the masked score elsewhere, [b, 1, 1, t], packed [b, 1, t, t].

    Arguments are those of `Encoder.context`.
    """
    # Not [:, None, None, :]: LiteRT has no slices that add axes to a shape it does not know.
    keys = tf.expand_dims(tf.expand_dims(segment_ids, 1), 1)
    visible = tf.equal(segment_ids[:, None, :, None], keys) if packed else keys
    return (1 - tf.cast(visible, dtype)) * tf.cast(masked_score, dtype)


def scores_of_queries(scores: tf.Tensor, reads: tf.Tensor) -> tf.Tensor:
    """Rows of `Encoder.context` for the reads [b, r] alone; what is one for all stays."""
    return scores if scores.shape[2] == 1 else tf.gather(scores, reads, axis=2, batch_dims=1)
