"""Attention's softmax in float32, whatever the precision of the layers around it."""

import tensorflow as tf

from tf_finetune.encoders.tfbert import modeling_tf_bert

_library_softmax = modeling_tf_bert.stable_softmax


def float32_softmax(
    logits: tf.Tensor, axis: int | None = None, name: str | None = None
) -> tf.Tensor:
    """The library's softmax, of the logits in float32; the result has their type.

    A sum of many bfloat16 or float16 numbers loses what each adds. float32 logits give what
    they gave before.

    Args:
        logits: Scores of any shape.
        axis: As in `tf.nn.softmax`.
        name: Name of the operation.
    """
    probabilities = _library_softmax(tf.cast(logits, tf.float32), axis, name)
    return tf.cast(probabilities, logits.dtype)


def use_float32_softmax() -> None:
    """Makes it the softmax of all attention in TFBert, which looks it up by name at each call.

    It is a free function there, in the middle of a long method; a layer has no attribute for
    it that could be replaced, as it has one for GELU and dropout.
    """
    modeling_tf_bert.stable_softmax = float32_softmax
