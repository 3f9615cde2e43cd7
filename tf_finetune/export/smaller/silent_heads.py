"""Takes attention heads that add nothing out of a model's graph."""

import numpy as np
import tensorflow as tf
import tf_keras

from tf_finetune.models.classifier import Classifier


def remove_silent_heads(classifier: Classifier) -> int:
    """Removes every head whose output is multiplied with zeros; the logits stay as they are.

    The matrices of the other heads go into new, narrower layers, so that a graph traced after
    this neither holds nor computes the removed ones. The model is for inference afterwards: an
    optimiser, or a function that was traced before, still has the old variables.

    Args:
        classifier: The model; changed in place.

    Returns:
        How many heads were removed. A layer keeps one even if all are silent.
    """
    removed = 0
    for index, attention in enumerate(classifier.attentions):
        inner, output = attention.self_attention, attention.dense_output
        width = inner.attention_head_size
        kernel = output.dense.kernel.numpy().reshape(inner.num_attention_heads, -1)
        kept = np.flatnonzero(kernel.any(axis=1))
        kept = kept if len(kept) else np.array([0])
        if len(kept) == inner.num_attention_heads:
            continue
        removed += inner.num_attention_heads - len(kept)
        units = (kept[:, None] * width + np.arange(width)).ravel()
        path = f"{classifier.files.family.backbone}/encoder/layer_._{index}/attention"
        for name in ("query", "key", "value"):
            dense = getattr(inner, name)
            narrow = _dense_like(dense, dense.kernel.numpy()[:, units], dense.bias.numpy()[units])
            setattr(inner, name, narrow)
            _register(classifier, f"{path}/self/{name}", narrow)
        narrow = _dense_like(
            output.dense, output.dense.kernel.numpy()[units], output.dense.bias.numpy()
        )
        output.dense = narrow
        _register(classifier, f"{path}/output/dense", narrow)
        inner.num_attention_heads = len(kept)
        inner.all_head_size = len(units)
    return removed


def weight_bytes(classifier: Classifier) -> int:
    """Bytes of all variables, as a graph in float32 holds them."""
    return sum(int(tf.size(v)) * v.dtype.size for v in classifier.by_path.values())


def _dense_like(
    dense: tf_keras.layers.Dense, kernel: np.ndarray, bias: np.ndarray
) -> tf_keras.layers.Dense:
    """A built layer that is another one but for its matrix [in, out] and bias [out]."""
    narrow = tf_keras.layers.Dense.from_config({**dense.get_config(), "units": len(bias)})
    narrow.build([None, None, len(kernel)])
    narrow.kernel.assign(kernel)
    narrow.bias.assign(bias)
    return narrow


def _register(classifier: Classifier, path: str, dense: tf_keras.layers.Dense) -> None:
    classifier.replace_variable(f"{path}/kernel", dense.kernel)
    classifier.replace_variable(f"{path}/bias", dense.bias)
