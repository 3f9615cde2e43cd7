"""From the states above the last layer to one vector a text."""

import tensorflow as tf

from tf_finetune.data.batch import PackedTexts, Texts
from tf_finetune.encoders.family import OF_ALL_TOKENS, OF_NAMED_TOKENS, Pooling


def reads_of(pooling: Pooling, texts: Texts | PackedTexts) -> tf.Tensor | None:
    """Positions in their row of the tokens that are read, int32 [b, s]; None: all are.

    Args:
        pooling: What the head reads.
        texts: Of the rows, s in each.
    """
    if pooling in OF_ALL_TOKENS:
        return None
    if pooling in OF_NAMED_TOKENS:
        return texts.reads
    positions = tf.range(tf.shape(_tokens(texts))[1])
    return tf.reduce_max(tf.cast(_members(texts), tf.int32) * positions, axis=2)


def pooled(pooling: Pooling, states: tf.Tensor, texts: Texts | PackedTexts) -> tf.Tensor:
    """What the head reads of the states of all tokens, [b, t, hidden] to [b, s, hidden].

    A place where no text is gives zeros, or its row's first token.

    Args:
        pooling: What the head reads.
        states: Of all tokens, padding included.
        texts: Of the rows, s in each.
    """
    reads = reads_of(pooling, texts)
    if reads is not None:
        return tf.gather(states, reads, batch_dims=1)
    return _means(states, texts) if pooling == "mean" else _largest(states, texts)


def _means(states: tf.Tensor, texts: Texts | PackedTexts) -> tf.Tensor:
    """As a matrix product, which adds up in one order on every device, at least in float32."""
    dtype = states.dtype if states.dtype.size > 2 else tf.float32
    members = tf.cast(_members(texts), dtype)
    shares = members / tf.maximum(tf.reduce_sum(members, axis=2, keepdims=True), 1)
    return tf.cast(tf.matmul(shares, tf.cast(states, dtype)), states.dtype)


def _largest(states: tf.Tensor, texts: Texts | PackedTexts) -> tf.Tensor:
    if isinstance(texts, Texts):
        # In place of padding a token of the text, and no huge number: 8-bit integers would hold
        # nothing else beside it.
        is_token, known = tf.expand_dims(texts.mask > 0, 2), pooled("last", states, texts)
        return tf.reduce_max(tf.where(is_token, states, known), axis=1, keepdims=True)
    # Not by members: that would take the states once for every text of a row.
    shape, hidden = tf.shape(texts.segment_ids), states.shape[-1]
    rows, places = shape[0], 1 + tf.shape(texts.reads)[1]  # the first is the padding's
    numbers = texts.segment_ids + places * tf.range(rows)[:, None]
    largest = tf.math.unsorted_segment_max(
        tf.reshape(states, [-1, hidden]), tf.reshape(numbers, [-1]), rows * places
    )
    largest = tf.reshape(largest, [rows, places, hidden])[:, 1:]
    is_there = tf.reduce_any(_members(texts), axis=2, keepdims=True)
    return tf.where(is_there, largest, tf.zeros_like(largest))


def _members(texts: Texts | PackedTexts) -> tf.Tensor:
    """Which tokens belong to which text of their row, bool [b, s, t]."""
    tokens = tf.expand_dims(_tokens(texts), 1)
    if isinstance(texts, Texts):
        return tokens > 0
    numbers = 1 + tf.range(tf.shape(texts.reads)[1])
    return tf.equal(tokens, numbers[:, None])


def _tokens(texts: Texts | PackedTexts) -> tf.Tensor:
    return texts.mask if isinstance(texts, Texts) else texts.segment_ids
