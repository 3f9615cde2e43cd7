"""Dropout that is a function of where a step is, not of a generator's hidden state.

Which units are dropped follows from (seed, step, layer, row, unit) alone, and seed, step and
first row come with the batch. So a resumed run drops what the undisturbed run drops, and
two replicas, or two micro-batches, drop together what one batch on one device drops: each
starts reading the same stream of random numbers at its own first row.

The stream is Philox (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"),
whose n-th block of four numbers can be computed directly from n. Where XLA compiles the step,
the same numbers come from plain arithmetic (`philox.py`).
"""

import contextlib
import threading
from collections.abc import Iterator

import tensorflow as tf
import tf_keras

from tf_finetune.encoders.philox import uniform_by_place

_PHILOX = 1
_BLOCK = 4  # 32-bit numbers that Philox makes at once
_active = threading.local()  # replicas are traced in threads of their own


@contextlib.contextmanager
def dropout_position(
    position: tf.Tensor, rows: tf.Tensor | None = None, *, for_xla: bool = False
) -> Iterator[None]:
    """Says where the forward pass inside the `with` block stands.

    Args:
        position: [3] int64: seed of the run, global step, and first row of this piece in the
            global batch.
        rows: Place of each row in the global batch, [rows] int32, where they do not follow each
            other; the first row of `position` is then not read.
        for_xla: Whether XLA compiles what is traced here; the same units are dropped.
    """
    previous = getattr(_active, "place", None)
    _active.place = position, rows, for_xla
    try:
        yield
    finally:
        _active.place = previous


class PositionalDropout(tf_keras.layers.Layer):
    """Inverted dropout drawn by position; stands in for every Keras dropout of an encoder.

    Args:
        rate: Probability that a unit is dropped.
        site: Number of this layer in the model, so that layers drop different units.
        whole_blocks: Whether the units of a row are a multiple of four, so that rows follow each
            other in the stream; otherwise each starts on a block of its own.
    """

    def __init__(self, rate: float, site: int, whole_blocks: bool = True):
        # Without autocast: this layer takes no part in mixed precision and keeps the type.
        super().__init__(name=f"dropout_{site}", autocast=False)
        self.rate = rate
        self.site = site
        self.whole_blocks = whole_blocks

    def call(self, inputs: tf.Tensor, training: bool | None = None) -> tf.Tensor:
        """Drops units of [rows, ...] inputs in training, passes them on otherwise."""
        if not training or self.rate == 0:
            return inputs
        place = getattr(_active, "place", None)
        if place is None:
            raise RuntimeError("training=True needs a surrounding dropout_position(...)")
        position, rows, for_xla = place
        shape = tf.shape(inputs, out_type=tf.int64)
        if rows is None:
            draws = self._draws(shape, position, for_xla)
        else:  # drawn for all rows up to the last of these, because a stream has no gaps
            count = tf.cast(tf.reduce_max(rows), tf.int64) + 1
            from_first_row = tf.concat([position[:2], [0]], axis=0)
            all_rows = tf.concat([[count], shape[1:]], axis=0)
            draws = tf.gather(self._draws(all_rows, from_first_row, for_xla), rows)
        # Selecting keeps one byte a unit for the backward pass where multiplying keeps four.
        kept = inputs * tf.cast(1 / (1 - self.rate), inputs.dtype)
        return tf.where(draws >= self.rate, kept, tf.zeros([], inputs.dtype))

    def _draws(self, shape: tf.Tensor, position: tf.Tensor, for_xla: bool) -> tf.Tensor:
        """Uniform numbers of a shape [rows, ...], from this step's and first row's place on."""
        row_size = tf.reduce_prod(shape[1:])
        blocks = -(-row_size // _BLOCK)
        # Exact where rows are whole blocks: batches have an even length, so attention
        # probabilities [heads, length, length] divide by 4, and widths must (`family_of`).
        skipped = position[2] * blocks
        key, counter = _stream(position[0], self.site, position[1])
        counter = tf.stack([counter[0] + tf.cast(skipped, tf.uint64), counter[1]])
        if for_xla:
            return uniform_by_place(shape, shape.shape[0], key, counter, blocks)
        drawn = shape if self.whole_blocks else tf.stack([shape[0], blocks * _BLOCK])
        draws = tf.raw_ops.StatelessRandomUniformV2(
            shape=drawn, key=key, counter=counter, alg=_PHILOX, dtype=tf.float32
        )
        return draws if self.whole_blocks else tf.reshape(draws[:, :row_size], shape)


def _stream(seed: tf.Tensor, site: int, step: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Key [1] uint64 and counter [2] uint64 of one layer's stream at one step.

    The seed makes the key; step and site make the high word of the counter, so no two
    streams overlap before 2**64 numbers.
    """
    key = tf.cast(seed, tf.uint64)[None]
    high = tf.cast(step, tf.uint64) * tf.constant(2**16, tf.uint64) + tf.constant(site, tf.uint64)
    return key, tf.stack([tf.constant(0, tf.uint64), high])
