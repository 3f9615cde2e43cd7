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
from collections.abc import Callable, Iterator
from typing import NamedTuple

import tensorflow as tf

from tf_finetune.encoders.philox import uniform_by_place

_PHILOX = 1
_BLOCK = 4  # 32-bit numbers that Philox makes at once
_SITES = 2**16  # more than a model has
_active = threading.local()  # replicas are traced in threads of their own


class _Place(NamedTuple):
    """Where a forward pass stands.

    Attributes:
        key: Of Philox: the seed, [1] uint64.
        step: High word of its counter before a site is added, [] uint64. Step and site make it,
            so no two streams overlap before 2**64 numbers.
        first_row: Of this piece in the global batch, [] int64.
        rows: Place of each row, [rows] int32, where they do not follow each other.
        for_xla: Whether XLA compiles what is traced here.
    """

    key: tf.Tensor
    step: tf.Tensor
    first_row: tf.Tensor
    rows: tf.Tensor | None
    for_xla: bool


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
    seed, step, first_row = tf.unstack(position)
    key, high = tf.cast(seed, tf.uint64)[None], tf.cast(step, tf.uint64) * _SITES
    first_row = tf.zeros_like(first_row) if rows is not None else first_row
    with _at(_Place(key, high, first_row, rows, for_xla)):
        yield


def at_this_place(function: Callable[..., tf.Tensor]) -> Callable[..., tf.Tensor]:
    """A function that drops, whenever it is called, the units that it would drop if called now."""
    place = getattr(_active, "place", None)

    def placed(*arguments: tf.Tensor) -> tf.Tensor:
        with _at(place):
            return function(*arguments)

    return placed


@contextlib.contextmanager
def _at(place: _Place | None) -> Iterator[None]:
    previous = getattr(_active, "place", None)
    _active.place = place
    try:
        yield
    finally:
        _active.place = previous


class PositionalDropout:
    """Inverted dropout drawn by position; stands in for every Keras dropout of an encoder.

    Args:
        rate: Probability that a unit is dropped.
        site: Number of this place in the model, so that places drop different units.
        whole_blocks: Whether the units of a row are a multiple of four, so that rows follow each
            other in the stream; otherwise each starts on a block of its own.
        shared: Whether the inputs are the same for all texts of a batch and have no row a text:
            every piece of a batch drops the same.
    """

    def __init__(self, rate: float, site: int, whole_blocks: bool = True, *, shared: bool = False):
        self.rate = rate
        self.site = site
        self.whole_blocks = whole_blocks
        self.shared = shared

    def __call__(self, inputs: tf.Tensor, *, training: bool) -> tf.Tensor:
        """Drops units of [rows, ...] inputs in training, passes them on otherwise."""
        if not training or self.rate == 0:
            return inputs
        with tf.name_scope(f"dropout_{self.site}"):
            return self._dropped(inputs)

    def _dropped(self, inputs: tf.Tensor) -> tf.Tensor:
        place = getattr(_active, "place", None)
        if place is None:
            raise RuntimeError("training=True needs a surrounding dropout_position(...)")
        if self.shared:
            place = place._replace(first_row=tf.zeros_like(place.first_row), rows=None)
        shape = tf.shape(inputs, out_type=tf.int64)
        if place.rows is None:
            draws = self._draws(shape, place)
        else:  # drawn for all rows up to the last of these, because a stream has no gaps
            count = tf.cast(tf.reduce_max(place.rows), tf.int64) + 1
            all_rows = tf.concat([[count], shape[1:]], axis=0)
            draws = tf.gather(self._draws(all_rows, place), place.rows)
        # Selecting keeps one byte a unit for the backward pass where multiplying keeps four.
        kept = inputs * tf.cast(1 / (1 - self.rate), inputs.dtype)
        return tf.where(draws >= self.rate, kept, tf.zeros([], inputs.dtype))

    def _draws(self, shape: tf.Tensor, place: _Place) -> tf.Tensor:
        """Uniform numbers of a shape [rows, ...], from this step's and first row's place on."""
        row_size = tf.reduce_prod(shape[1:])
        # Exact where rows are whole blocks: batches have an even length, so attention
        # probabilities [heads, length, length] divide by 4, and widths must (`family_of`).
        blocks = (row_size if self.whole_blocks else row_size + _BLOCK - 1) // _BLOCK
        skipped = tf.cast(place.first_row * blocks, tf.uint64)
        counter = tf.stack([skipped, place.step + tf.constant(self.site, tf.uint64)])
        if place.for_xla:
            return uniform_by_place(shape, shape.shape[0], place.key, counter, blocks)
        drawn = shape if self.whole_blocks else tf.stack([shape[0], blocks * _BLOCK])
        draws = tf.raw_ops.StatelessRandomUniformV2(
            shape=drawn, key=place.key, counter=counter, alg=_PHILOX, dtype=tf.float32
        )
        return draws if self.whole_blocks else tf.reshape(draws[:, :row_size], shape)
