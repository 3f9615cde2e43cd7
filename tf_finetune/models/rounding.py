"""How far apart rounding may set two computations of the same logits.

A processor with other instructions, another batch or a graph that was fused otherwise adds up the
same products in another order, and every order rounds elsewhere. Whoever asks whether two logits
are the same needs the size of that difference: a fixed number is too small for a wide encoder or
outputs in the thousands, and too large for small ones.
"""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tf_finetune.encoders.family import Sizes
from tf_finetune.encoders.locating import EncoderFiles
from tf_finetune.encoders.variables import Variable

if TYPE_CHECKING:
    from tf_finetune.models.classifier import Classifier

_DEVIATIONS = 3  # beyond which one in 370 normal errors lies, of errors that are overestimated


@dataclass(frozen=True)
class Arithmetic:
    """What a device computes with.

    Attributes:
        unit_roundoff: The largest share by which rounding changes a result.
        rounds_sums: Whether every addition of a sum is rounded so, not only what is stored.
    """

    unit_roundoff: float
    rounds_sums: bool = False


FLOAT32 = Arithmetic(2.0**-24, rounds_sums=True)
TENSOR_FLOAT32 = FLOAT16 = Arithmetic(2.0**-11)
BFLOAT16 = Arithmetic(2.0**-8)


def logit_rounding(classifier: "Classifier", length: int, precision: str = "float32") -> np.ndarray:
    """The largest difference of each logit that rounding explains.

    Rounding changes a result by a share of at most u, the unit roundoff. The n results that are
    rounded one after another on the way from a text to a logit change it by shares that count as
    independent, with mean zero (Higham & Mary 2019, "A new approach to probabilistic rounding
    error analysis"): each has a variance of at most u^2 / 3, and two computations together
    2 n u^2 / 3. Three standard deviations of the difference are sqrt(6 n) u of the size.

    That size is not the logit, which may be a small difference of large terms: it is what a sum
    of such terms can be, see `_largest_sums`.

    Args:
        classifier: The model, with its weights of now.
        length: Tokens of the longest text.
        precision: `training.precision` of the less precise computation.

    Returns:
        float64 [labels].
    """
    largest = _largest_sums(classifier, length)
    return rounding_share(classifier.files, length, arithmetic_of(precision)) * largest


def rounding_share(files: EncoderFiles, length: int, arithmetic: Arithmetic) -> float:
    """By which share of its size rounding explains that a result behind all layers differs.

    Args:
        files: The encoder.
        length: Tokens of the longest text.
        arithmetic: What the less precise of the two computes with.
    """
    summed = files.sizes.hidden if files.has_pooler else length
    roundings = roundings_of_a_logit(files.sizes, length, arithmetic, summed)
    return _DEVIATIONS * math.sqrt(2 * roundings / 3) * arithmetic.unit_roundoff


def _largest_sums(classifier: "Classifier", length: int) -> np.ndarray:
    """What the absolute terms of each logit can add up to, float64 [labels].

    With a pooler whose tanh gives what lies between -1 and 1, that is the sum of |weights| and
    |bias|. Other activations give no more than they get, and so the sums of the pooler are asked
    for first. What is read is z * gamma + beta of the last norm, in which the z of a
    token have mean 0 and variance 1 and so a length of at most sqrt(hidden). By the inequality of
    Cauchy and Schwarz the terms |w gamma z| add up to at most |w gamma| |z|, as lengths. A mean of
    tokens is no longer than the longest of them. The largest values of n tokens are at most
    sqrt(n) times as long, as their squares are among those of all tokens.
    """
    kernel, bias = _dense(classifier, "head")
    if not classifier.files.has_pooler:
        return _sums_of_reads(classifier, kernel, bias, length)
    if classifier.files.family.bounded_pooler:
        return np.asarray(kernel.sum(axis=0) + bias)
    return np.asarray(
        _sums_of_reads(classifier, *_dense(classifier, "pooler"), length) @ kernel + bias
    )


def _sums_of_reads(
    classifier: "Classifier", kernel: np.ndarray, bias: np.ndarray, length: int
) -> np.ndarray:
    """What the absolute terms of a dense layer of what is read can add up to, float64 [units]."""
    norm = [np.abs(_value(classifier, v)) for v in classifier.table if v.kind == "norm"]
    gamma, beta = norm[-2:]
    tokens = min(length, len(gamma)) if classifier.files.pooling == "max" else 1
    longest = math.sqrt(len(gamma) * tokens)
    scaled = np.linalg.norm(kernel * gamma[:, None], axis=0)
    return np.asarray(longest * scaled + beta @ kernel + bias)


def _dense(classifier: "Classifier", part: str) -> tuple[np.ndarray, np.ndarray]:
    """Absolute values of the matrix and the bias of pooler or head; 0 where there is none."""
    found = {v.kind: np.abs(_value(classifier, v)) for v in classifier.table if v.part == part}
    kernel = found["kernel"]
    return kernel, found.get("bias", np.zeros(kernel.shape[1]))


def _value(classifier: "Classifier", variable: Variable) -> np.ndarray:
    return np.asarray(classifier.by_path[variable.path], np.float64)


def arithmetic_of(precision: str) -> Arithmetic:
    """What products are computed with here.

    An accelerator rounds the inputs of float32 products too, unless it was told otherwise.

    Args:
        precision: `training.precision`.
    """
    if precision != "float32":
        return BFLOAT16 if precision == "mixed_bfloat16" else FLOAT16
    import tensorflow as tf

    if tf.config.list_logical_devices("TPU"):
        return BFLOAT16
    rounds = tf.config.experimental.tensor_float_32_execution_enabled()
    return TENSOR_FLOAT32 if rounds and tf.config.list_logical_devices("GPU") else FLOAT32


def roundings_of_a_logit(sizes: Sizes, length: int, arithmetic: Arithmetic, summed: int) -> int:
    """Results that are rounded one after another from a token's embedding to a logit.

    A layer sums over the hidden size for the value, the projection of attention, the inner
    product, and mean and variance of two normalisations; over the inner size for its output;
    over the tokens for the softmax and the mean of the values. What it stores is each of these
    sums, what a bias, a residual or an activation makes of them, and the normalised states.

    Args:
        sizes: Of the encoder.
        length: Tokens of the text.
        arithmetic: What is computed with.
        summed: Terms of a sum between the last layer and the head: the pooler's, or the tokens of
            a mean.
    """
    hidden, layers = sizes.hidden, sizes.layers
    if not arithmetic.rounds_sums:
        return 18 * layers + 9
    a_layer = 7 * hidden + sizes.inner + 2 * length
    around = 3 * hidden + summed  # the embeddings' normalisation and the head; what lies below it
    return layers * a_layer + around
