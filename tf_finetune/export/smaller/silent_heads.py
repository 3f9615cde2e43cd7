"""Takes attention heads that add nothing out of a model's graph."""

import numpy as np
import tensorflow as tf

from tf_finetune.models.classifier import Classifier


def remove_silent_heads(classifier: Classifier) -> int:
    """Removes every head whose output is multiplied with zeros; the logits stay as they are.

    The matrices of the other heads go into new, narrower layers, so that a graph traced after
    this neither holds nor computes the removed ones. The model is for inference afterwards: an
    optimiser, or a function that was traced before, still has the old variables.

    Args:
        classifier: The model; changed in place.

    Returns:
        How many heads were removed. A layer keeps one even if all are silent, and all stay where
        a method put something beside the matrices that hold them.
    """
    if classifier.plan.added:
        return 0
    removed, width = 0, classifier.files.sizes.hidden // classifier.files.sizes.heads
    paths = {(n, v.site, v.kind): v.path for v in classifier.table for n in v.layers}
    for index, layer in enumerate(classifier.encoder.layers):
        kernel = layer.attention_output.kernel.numpy()
        heads = len(kernel) // width
        kept = np.flatnonzero(kernel.reshape(heads, -1).any(axis=1))
        kept = kept if len(kept) else np.array([0])
        if len(kept) == heads:
            continue
        removed += heads - len(kept)
        units = (kept[:, None] * width + np.arange(width)).ravel()
        for site, dense in layer.narrowed(units).items():
            setattr(layer, site, dense)
            classifier.replace_variable(paths[index, site, "kernel"], dense.kernel)
            classifier.replace_variable(paths[index, site, "bias"], dense.bias)
    return removed


def weight_bytes(classifier: Classifier) -> int:
    """Bytes of all variables, as a graph in float32 holds them."""
    return sum(int(tf.size(v)) * v.dtype.size for v in classifier.by_path.values())
