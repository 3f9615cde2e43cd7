"""A matrix and a bias, and what a method of fine-tuning makes of their product."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import tensorflow as tf

from tf_finetune.encoders.dropout import PositionalDropout


@dataclass(frozen=True)
class Affine:
    """A matrix and a bias.

    Attributes:
        kernel: [width, units].
        bias: [units]; None: 0.
        dtype: In which all of it is computed.
    """

    kernel: tf.Tensor
    bias: tf.Tensor | None
    dtype: str | tf.DType

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        """[..., width] to [..., units]."""
        return product(self.kernel, self.bias, x, self.dtype)


Values = Mapping[str, tf.Tensor]
Drop = Callable[[tf.Tensor], tf.Tensor]


@dataclass(frozen=True)
class Change:
    """What a method makes of a product.

    Attributes:
        compute: From the product, what goes in, the values and what drops units to what the
            product gives, [..., width] to [..., units].
        values: What the method added, by name.
        by_unit: Names of the values whose last axis is that of the units.
        dropout: Of the method.
    """

    compute: Callable[[Affine, tf.Tensor, Values, Drop], tf.Tensor]
    values: Values
    by_unit: frozenset[str]
    dropout: PositionalDropout

    def __call__(self, affine: Affine, x: tf.Tensor, *, training: bool) -> tf.Tensor:
        """[..., width] to [..., units]."""
        x = tf.cast(x, affine.dtype)
        values = {name: tf.cast(value, affine.dtype) for name, value in self.values.items()}
        return self.compute(affine, x, values, lambda u: self.dropout(u, training=training))

    def part(self, index: int, count: int) -> "Change":
        """The same of one of several equal parts of the units."""
        values = {
            name: tf.split(value, count, axis=-1)[index] if name in self.by_unit else value
            for name, value in self.values.items()
        }
        return replace(self, values=values)


def product(
    kernel: tf.Tensor, bias: tf.Tensor | None, x: tf.Tensor, dtype: str | tf.DType
) -> tf.Tensor:
    """What a matrix and a bias give, [..., width] to [..., units], in a type of computing.

    Args:
        kernel: [width, units].
        bias: [units]; None: 0.
        x: [..., width].
        dtype: In which all of it is computed.
    """
    kernel = tf.cast(kernel, dtype)
    width, units = kernel.shape
    result = tf.matmul(tf.reshape(tf.cast(x, dtype), [-1, width]), kernel)
    if bias is not None:
        result = tf.nn.bias_add(result, tf.cast(bias, dtype))
    return tf.reshape(result, tf.concat([tf.shape(x)[:-1], [units]], axis=0))
