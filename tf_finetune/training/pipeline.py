"""`tf.data` pipelines: batches of tokens or cached states, in an order that can be recomputed.

A global batch carries where it stands (seed, step, first row) and the weight of all its texts,
and has as many rows as its replicas and micro-batches need to get equal pieces of it
(`rows_of`). So loss scaling, dropout and order do not depend on how many replicas there
are, and the last, smaller batch counts right.

Of several processes each reads every global batch and computes its pieces. Only where each
keeps cached states of examples of its own does it read those alone of every batch, with the
places where they stand in it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import tensorflow as tf

from tf_finetune.data.batch import (
    Batch,
    Consecutive,
    Inputs,
    PackedTexts,
    Scattered,
    States,
    Texts,
    Tokens,
    WholeBatch,
)
from tf_finetune.data.batches import Padding, epoch_batches, evaluation_batches, padded_length
from tf_finetune.data.packing import PackedBatch, PackedShape, packed_batches, packed_shape
from tf_finetune.data.splits import Split
from tf_finetune.data.states import PrefixStates
from tf_finetune.data.texts_of_rows import texts_of_rows
from tf_finetune.training.packed_batches import packed_batch

_PREFETCHED_BATCHES = 4


@dataclass(frozen=True)
class BatchShape:
    """How batches are cut and padded.

    Attributes:
        batch_size: Examples a step over all replicas.
        replicas: Pieces that a batch is cut into, one a replica.
        processes: Processes that have these replicas, each as many.
        micro_batches: Pieces that a replica computes one after the other.
        padding: "longest", "buckets", "max", or "packed": several texts a row of `max_length`.
        max_length: Longest text in tokens.
        fixed_rows: Whether smaller batches are filled up with rows of weight 0, for XLA.
        together: So many rows beside each other stay in one piece.
    """

    batch_size: int
    replicas: int = 1
    processes: int = 1
    micro_batches: int = 1
    padding: Padding = "longest"
    max_length: int = 128
    fixed_rows: bool = False
    together: int = 1

    def batch_rows(self, examples: int) -> int:
        """Rows of a batch with this many examples: a multiple of its pieces."""
        return self.even_rows(self.batch_size if self.fixed_rows else examples)

    def even_rows(self, rows: int) -> int:
        """So many rows or a few more: a multiple of the batch's pieces."""
        grain = self.replicas * self.micro_batches * self.together
        return -(-rows // grain) * grain

    @property
    def row_length(self) -> int:
        """Tokens of a packed row: even, for positional dropout."""
        return self.max_length + self.max_length % 2

    @property
    def of_one_process(self) -> "BatchShape":
        """How a process cuts a batch that it has for itself."""
        return replace(self, replicas=self.replicas // self.processes, processes=1)


def training_dataset(
    split: Split,
    example_weights: np.ndarray,
    shape: BatchShape,
    *,
    seed: int,
    first_step: int,
    last_step: int,
    states: PrefixStates | None = None,
) -> tf.data.Dataset:
    """Global batches of the steps `first_step` to `last_step` (exclusive).

    Args:
        split: The training examples.
        example_weights: Loss weight of each example, float32 [n].
        shape: How batches are cut and padded.
        seed: With the epoch, it determines the order.
        first_step: Global step to start at; earlier epochs are skipped without reading.
        last_step: Global step to stop before.
        states: What the batches hold instead of tokens.

    Returns:
        Elements as `batch_signature` describes.
    """
    packed = shape.padding == "packed"

    def batches() -> Iterator[Batch]:
        steps = steps_per_epoch(len(split), shape.batch_size)
        room = _packed_shape(split, shape, seed) if packed else None
        epoch, read = -1, None
        for step in range(first_step, last_step):
            if read is None or step // steps != epoch:
                epoch = step // steps
                read = _epoch_reader(split, example_weights, shape, seed, epoch, states, room)
            yield read(step)

    return as_dataset(batches, split, states, packed=packed)


def _epoch_reader(
    split: Split,
    example_weights: np.ndarray,
    shape: BatchShape,
    seed: int,
    epoch: int,
    states: PrefixStates | None,
    room: PackedShape | None,
) -> Callable[[int], Batch]:
    """Gives the batch of each global step of an epoch; packed if there is `room` for that."""
    steps = steps_per_epoch(len(split), shape.batch_size)
    if room is None:
        order = epoch_batches(split.lengths, shape.batch_size, seed=seed, epoch=epoch)
        return lambda step: global_batch(
            split, order[step % steps], example_weights, shape, step, seed, states
        )
    batches = _packed_batches(split, shape, seed, epoch)
    room = room.holding(batches)
    room = replace(room, rows=shape.even_rows(room.rows))

    return lambda step: packed_batch(
        split, batches[step % steps], room, example_weights, step, seed, states
    )


def _packed_shape(split: Split, shape: BatchShape, seed: int) -> PackedShape:
    return packed_shape(split.lengths, shape.batch_size, shape.row_length, seed=seed)


def _packed_batches(
    split: Split, shape: BatchShape, seed: int, epoch: int
) -> tuple[PackedBatch, ...]:
    return packed_batches(split.lengths, shape.batch_size, shape.row_length, seed=seed, epoch=epoch)


class EpochSteps:
    """Every example once an epoch, by seed and step; see `objectives.Steps`.

    The arguments are those of `training_dataset`.
    """

    def __init__(self, split: Split, example_weights: np.ndarray, shape: BatchShape, seed: int):
        self._split, self._weights = split, example_weights
        self._shape, self._seed = shape, seed

    def dataset(
        self, first_step: int, last_step: int, states: PrefixStates | None
    ) -> tf.data.Dataset:
        """Global batches, see `training_dataset`."""
        return training_dataset(
            self._split,
            self._weights,
            self._shape,
            seed=self._seed,
            first_step=first_step,
            last_step=last_step,
            states=states,
        )

    def examples(self, step: int) -> np.ndarray:
        """Those of a step, see `step_examples`."""
        return step_examples(self._split, self._shape, self._seed, step)


def step_examples(split: Split, shape: BatchShape, seed: int, step: int) -> np.ndarray:
    """The examples of a global step of `training_dataset`, counted inside the split. int64."""
    epoch, inside = divmod(step, steps_per_epoch(len(split), shape.batch_size))
    if shape.padding == "packed":
        return _packed_batches(split, shape, seed, epoch)[inside].examples
    return epoch_batches(split.lengths, shape.batch_size, seed=seed, epoch=epoch)[inside]


def piece_rows(split: Split, shape: BatchShape, seed: int) -> int:
    """Rows that a replica computes at once in a full step."""
    rows = shape.batch_size if shape.together > 1 else min(shape.batch_size, len(split))
    if shape.padding == "packed":
        rows = _packed_shape(split, shape, seed).rows
    return shape.even_rows(rows) // (shape.replicas * shape.micro_batches)


def evaluation_dataset(
    split: Split, shape: BatchShape, states: PrefixStates | None = None
) -> tf.data.Dataset:
    """Global batches that hold every example of a split once, in `evaluation_order`."""
    weights = np.ones(len(split), np.float32)

    def batches() -> Iterator[Batch]:
        for step, rows in enumerate(evaluation_batches(split.lengths, shape.batch_size)):
            yield global_batch(split, rows, weights, shape, step, states=states)

    return as_dataset(batches, split, states)


def evaluation_order(
    split: Split, shape: BatchShape, states: PrefixStates | None = None
) -> np.ndarray:
    """Example of every row that is computed, -1 for rows that only fill up. int64.

    Of batches of which each process has a part, the rows are put together without any filling.
    """
    if is_shared_out(states):
        return np.concatenate(evaluation_batches(split.lengths, shape.batch_size))
    order = []
    for rows in evaluation_batches(split.lengths, shape.batch_size):
        filled = np.full(shape.batch_rows(len(rows)), -1, np.int64)
        filled[: len(rows)] = rows
        order.append(filled)
    return np.concatenate(order)


def steps_per_epoch(examples: int, batch_size: int) -> int:
    """Optimiser steps of an epoch; the last batch may be smaller."""
    return -(-examples // batch_size)


def global_batch(
    split: Split,
    rows: np.ndarray,
    example_weights: np.ndarray,
    shape: BatchShape,
    step: int,
    seed: int = 0,
    states: PrefixStates | None = None,
) -> Batch:
    """Reads one batch; rows that fill it up repeat an example with weight 0.

    Where this process keeps the states of some examples alone, it reads those of the batch.
    """
    reads = reads_of_batch(split, shape, rows)
    if states is not None and states.reads_only:
        length = reads
    else:
        longest = int(split.lengths[rows].max())
        length = padded_length(longest, shape.padding, shape.max_length)
        length += length % 2  # what positional dropout needs
    answers = split.task.answer_weights(example_weights[rows], split.is_read[rows])
    whole = WholeBatch.of(answers, seed, step)
    place: Consecutive | Scattered = Consecutive(np.int64(0))
    if states is not None and states.own is not None:
        places = np.flatnonzero(states.own[rows])
        num_rows = shape.of_one_process.batch_rows(max(len(places), 1))
        places_of_rows = np.zeros(num_rows, np.int32)
        places_of_rows[: len(places)] = places
        place = Scattered(places_of_rows, np.int32(len(rows)))
        rows, filler = rows[places], np.flatnonzero(states.own)[:1]
    else:
        num_rows, filler = shape.batch_rows(len(rows)), rows[:1]
    filled = np.concatenate([rows, np.repeat(filler, num_rows - len(rows))])
    weights = example_weights[filled].astype(np.float32)
    weights[len(rows) :] = 0.0
    weights = split.task.answer_weights(weights, split.is_read[filled, :reads])
    targets = split.task.answer_targets(split.labels[filled], reads)
    return Batch(_inputs(split, filled, length, reads, states), targets, weights, place, whole)


def reads_of_batch(split: Split, shape: BatchShape, rows: np.ndarray) -> int:
    """States that a batch with these rows reads of each: the most that any has, or of the split."""
    return split.reads.shape[1] if shape.fixed_rows else int(split.read_counts[rows].max())


def is_shared_out(states: PrefixStates | None) -> bool:
    """Whether each process of a cluster keeps a part of the states."""
    return states is not None and states.own is not None


def _inputs(
    split: Split, rows: np.ndarray, length: int, num_reads: int, states: PrefixStates | None
) -> Inputs:
    reads, lengths = split.reads[rows, :num_reads], split.lengths[rows]
    content: Tokens | States
    if states is None:
        tokens = split.gather(rows, pad_to=length)
        content = Tokens(tokens.token_ids, tokens.token_type_ids)
    else:
        content, lengths = States(states.gather(rows, pad_to=length)), states.lengths[rows]
        if states.reads_only:
            reads = states.places_of_reads(rows, num_reads)
    if split.task.several_texts:
        return Inputs(content, PackedTexts(*texts_of_rows(reads, lengths, length), reads))
    mask = (np.arange(length) < lengths[:, None]).astype(np.int32)
    return Inputs(content, Texts(mask, reads))


def rows_of(batch: Batch, first: tf.Tensor, count: tf.Tensor) -> Batch:
    """Rows `first` to `first + count` of a batch, which say that they stand there."""

    def cut(value: tf.Tensor) -> tf.Tensor:
        return value[first : first + count]

    inputs, targets, weights, place, whole = batch
    if isinstance(place, Scattered):
        place = place._replace(places=cut(place.places))
    else:
        place = Consecutive(place.first + tf.cast(first, tf.int64))
    cut_inputs = tf.nest.map_structure(cut, inputs)
    return Batch(cut_inputs, cut(targets), cut(weights), place, whole)


def dropout_place(batch: Batch) -> tuple[tf.Tensor, tf.Tensor | None]:
    """Where the rows of a batch stand, as `dropout_position` takes it."""
    first, places = tf.constant(0, tf.int64), None
    if isinstance(batch.place, Scattered):
        places = batch.place.places
    else:
        first = batch.place.first
    return tf.stack([batch.whole.seed, batch.whole.step, first]), places


def in_its_place(values: tf.Tensor, first: tf.Tensor, pieces: int) -> tf.Tensor:
    """A piece's values among zeros for the rows of the other pieces.

    Args:
        values: Of the piece, [rows, width].
        first: Place of its first row in the batch, [] int64.
        pieces: Number of equal pieces that the batch was cut into.

    Returns:
        [pieces * rows, width]. Where the piece stands decides over values alone, never over a
        shape: XLA compiles no padding whose width is known only when it runs.
    """
    own = tf.cast(first, tf.int32) // tf.shape(values)[0]
    is_own = tf.range(pieces)[:, None, None] == own
    # Of rows with as many answers as each batch has reads the width is known when it runs.
    width = tf.shape(values)[1] if values.shape[1] is None else values.shape[1]
    return tf.reshape(tf.where(is_own, values, tf.zeros_like(values)), [-1, width])


def batch_signature(
    split: Split, states: PrefixStates | None = None, *, packed: bool = False
) -> Batch:
    """Types and shapes of the batches of a split.

    Args:
        split: The examples.
        states: What the batches hold instead of tokens.
        packed: Whether rows hold several texts.
    """
    tokens, number = tf.TensorSpec([None, None], tf.int32), tf.TensorSpec([], tf.int64)
    content: Tokens | States = Tokens(tokens, tokens)
    if states is not None:
        width, dtype = states.values.shape[1], tf.as_dtype(states.values.dtype)
        content = States(tf.TensorSpec([None, None, width], dtype))
    one_read = split.reads.shape[1] == 1 and not packed
    reads = tf.TensorSpec([None, 1 if one_read else None], tf.int32)
    several = packed or split.task.several_texts
    texts = PackedTexts(tokens, tokens, reads) if several else Texts(tokens, reads)
    place: Consecutive | Scattered = Consecutive(number)
    if is_shared_out(states):
        place = Scattered(tf.TensorSpec([None], tf.int32), tf.TensorSpec([], tf.int32))
    of_a_row = None if packed or split.task.answers_each_read else 1
    target = split.task.answer_targets(split.labels[:1], 1)
    return Batch(
        inputs=Inputs(content, texts),
        targets=tf.TensorSpec([None, of_a_row, *target.shape[2:]], target.dtype),
        weights=tf.TensorSpec([None, of_a_row], tf.float32),
        place=place,
        whole=WholeBatch(number, number, tf.TensorSpec([], tf.float32)),
    )


def as_dataset(
    batches: Callable[[], Iterator[Batch]],
    split: Split,
    states: PrefixStates | None,
    *,
    packed: bool = False,
) -> tf.data.Dataset:
    """Batches as they are made, some of them ahead.

    Args:
        batches: Makes them.
        split: Of whose examples they are.
        states: What they hold instead of tokens.
        packed: Whether rows hold several texts.
    """
    signature = batch_signature(split, states, packed=packed)
    dataset = tf.data.Dataset.from_generator(batches, output_signature=signature)
    options = tf.data.Options()
    options.deterministic = True
    # There is nothing to tune, and the thread that tunes can miss that its iterator was
    # deleted: whoever deleted it then waits until the thread's next turn, up to a minute.
    options.autotune.enabled = False
    return dataset.prefetch(_PREFETCHED_BATCHES).with_options(options)
