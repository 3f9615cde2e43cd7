"""Attention heads: their units apart, and how much a query asks for a key."""

import math

import tensorflow as tf


def split_heads(x: tf.Tensor, head_width: int) -> tf.Tensor:
    """[b, q, units] as [b, heads, q, head_width]."""
    heads = x.shape[-1] // head_width
    return tf.transpose(tf.reshape(x, [number_of_rows(x), -1, heads, head_width]), [0, 2, 1, 3])


def scaled_scores(query: tf.Tensor, key: tf.Tensor, terms: int = 1) -> tf.Tensor:
    """How much each query asks for each key, [b, heads, q, t], of `split_heads`.

    Args:
        query: [b, heads, q, head_width].
        key: [b or 1, heads, t, head_width].
        terms: Of a score, of which this is the first; the root of their number divides each.
    """
    return scaled(tf.matmul(query, key, transpose_b=True), query.shape[-1], terms)


def scaled(scores: tf.Tensor, head_width: int, terms: int) -> tf.Tensor:
    """Scores of so many terms, divided by the root of all that is added up in them."""
    return scores / tf.cast(math.sqrt(terms * head_width), scores.dtype)


def number_of_rows(x: tf.Tensor) -> int | tf.Tensor:
    """Length of the first axis, a number where it is known."""
    return tf.shape(x)[0] if x.shape[0] is None else x.shape[0]
