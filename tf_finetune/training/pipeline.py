"""`tf.data` pipelines: batches of tokens or cached states, in an order that can be recomputed.

A global batch carries where it stands (seed, step, first row) and the weight of all its rows,
and has as many rows as its replicas and micro-batches need to get equal pieces of it
(`rows_of`). So loss scaling, dropout and order do not depend on how many replicas there
are, and the last, smaller batch counts right.

Of several processes each reads every global batch and computes its pieces. Only where each
keeps cached states of examples of its own does it read those alone of every batch, with the
places where they stand in it.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import tensorflow as tf

from tf_finetune.data.batches import Padding, epoch_batches, evaluation_batches, padded_length
from tf_finetune.data.packing import PackedBatch, PackedShape, packed_batches, packed_shape
from tf_finetune.data.splits import Split
from tf_finetune.data.states import PrefixStates
from tf_finetune.training.packed_batches import packed_batch

_PREFETCHED_BATCHES = 4
_OF_THE_BATCH = ("weight_sum", "position", "places_in_all")  # all else has a row an example


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
    """

    batch_size: int
    replicas: int = 1
    processes: int = 1
    micro_batches: int = 1
    padding: Padding = "longest"
    max_length: int = 128
    fixed_rows: bool = False

    def batch_rows(self, examples: int) -> int:
        """Rows of a batch with this many examples: a multiple of its pieces."""
        return self.even_rows(self.batch_size if self.fixed_rows else examples)

    def even_rows(self, rows: int) -> int:
        """So many rows or a few more: a multiple of the batch's pieces."""
        pieces = self.replicas * self.micro_batches
        return -(-rows // pieces) * pieces

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

    def batches() -> Iterator[dict[str, Any]]:
        steps = steps_per_epoch(len(split), shape.batch_size)
        room = _packed_shape(split, shape, seed) if packed else None
        epoch, read = -1, None
        for step in range(first_step, last_step):
            if read is None or step // steps != epoch:
                epoch = step // steps
                read = _epoch_reader(split, example_weights, shape, seed, epoch, states, room)
            yield read(step)

    return _dataset(batches, split, states, packed=packed)


def _epoch_reader(
    split: Split,
    example_weights: np.ndarray,
    shape: BatchShape,
    seed: int,
    epoch: int,
    states: PrefixStates | None,
    room: PackedShape | None,
) -> Callable[[int], dict[str, Any]]:
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

    def read(step: int) -> dict[str, Any]:
        batch = packed_batch(split, batches[step % steps], room, example_weights, states)
        return batch | _of_the_batch(batch["weights"], seed, step)

    return read


def _packed_shape(split: Split, shape: BatchShape, seed: int) -> PackedShape:
    return packed_shape(split.lengths, shape.batch_size, shape.row_length, seed=seed)


def _packed_batches(
    split: Split, shape: BatchShape, seed: int, epoch: int
) -> tuple[PackedBatch, ...]:
    return packed_batches(split.lengths, shape.batch_size, shape.row_length, seed=seed, epoch=epoch)


def step_examples(split: Split, shape: BatchShape, seed: int, step: int) -> np.ndarray:
    """The examples of a global step of `training_dataset`, counted inside the split. int64."""
    epoch, inside = divmod(step, steps_per_epoch(len(split), shape.batch_size))
    if shape.padding == "packed":
        return _packed_batches(split, shape, seed, epoch)[inside].examples
    return epoch_batches(split.lengths, shape.batch_size, seed=seed, epoch=epoch)[inside]


def piece_rows(split: Split, shape: BatchShape, seed: int) -> int:
    """Rows that a replica computes at once in a full step."""
    rows = min(shape.batch_size, len(split))
    if shape.padding == "packed":
        rows = _packed_shape(split, shape, seed).rows
    return -(-rows // (shape.replicas * shape.micro_batches))


def evaluation_dataset(
    split: Split, shape: BatchShape, states: PrefixStates | None = None
) -> tf.data.Dataset:
    """Global batches that hold every example of a split once, in `evaluation_order`."""
    weights = np.ones(len(split), np.float32)

    def batches() -> Iterator[dict[str, Any]]:
        for step, rows in enumerate(evaluation_batches(split.lengths, shape.batch_size)):
            yield global_batch(split, rows, weights, shape, step, states=states)

    return _dataset(batches, split, states)


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
) -> dict[str, Any]:
    """Reads one batch; rows that fill it up repeat an example with weight 0.

    Where this process keeps the states of some examples alone, it reads those of the batch.
    """
    if states is not None and states.first_token_only:
        length = 1
    else:
        longest = int(split.lengths[rows].max())
        length = padded_length(longest, shape.padding, shape.max_length)
        length += length % 2  # what positional dropout needs
    of_the_batch = _of_the_batch(example_weights[rows], seed, step)
    if states is not None and states.own is not None:
        places = np.flatnonzero(states.own[rows])
        num_rows = shape.of_one_process.batch_rows(max(len(places), 1))
        places_of_rows = np.zeros(num_rows, np.int32)
        places_of_rows[: len(places)] = places
        of_the_batch |= {"places": places_of_rows, "places_in_all": np.int32(len(rows))}
        rows, filler = rows[places], np.flatnonzero(states.own)[:1]
    else:
        num_rows, filler = shape.batch_rows(len(rows)), rows[:1]
    filled = np.concatenate([rows, np.repeat(filler, num_rows - len(rows))])
    weights = example_weights[filled].astype(np.float32)
    weights[len(rows) :] = 0.0
    return {
        **_inputs(split, filled, length, states),
        "targets": split.labels[filled],
        "weights": weights,
        **of_the_batch,
    }


def is_shared_out(states: PrefixStates | None) -> bool:
    """Whether each process of a cluster keeps a part of the states."""
    return states is not None and states.own is not None


def _of_the_batch(weights: np.ndarray, seed: int, step: int) -> dict[str, Any]:
    return {
        "weight_sum": np.float32(weights.astype(np.float32).sum(dtype=np.float64)),
        "position": np.array([seed, step, 0], np.int64),
    }


def _inputs(
    split: Split, rows: np.ndarray, length: int, states: PrefixStates | None
) -> dict[str, np.ndarray]:
    if states is None:
        tokens = split.gather(rows, pad_to=length)
        return {
            "token_ids": tokens.token_ids,
            "token_type_ids": tokens.token_type_ids,
            "attention_mask": tokens.attention_mask,
        }
    kept = states.lengths[rows]
    return {
        "states": states.gather(rows, pad_to=length),
        "attention_mask": (np.arange(length) < kept[:, None]).astype(np.int32),
    }


def rows_of(batch: Mapping[str, tf.Tensor], first: tf.Tensor, count: tf.Tensor) -> dict[str, Any]:
    """Rows `first` to `first + count` of a batch, which say that they stand there."""
    zero = tf.constant(0, tf.int64)
    offset = tf.stack([zero, zero, tf.cast(first, tf.int64)])
    pieces = {
        name: value if name in _OF_THE_BATCH else value[first : first + count]
        for name, value in batch.items()
    }
    return pieces | {"position": batch["position"] + offset}


def in_its_place(values: tf.Tensor, position: tf.Tensor, pieces: int) -> tf.Tensor:
    """A piece's values among zeros for the rows of the other pieces.

    Args:
        values: Of the piece, [rows, width].
        position: Of the piece, as `rows_of` gives it: [3] int64.
        pieces: Number of equal pieces that the batch was cut into.

    Returns:
        [pieces * rows, width]. Where the piece stands decides over values alone, never over a
        shape: XLA compiles no padding whose width is known only when it runs.
    """
    own = tf.cast(position[2], tf.int32) // tf.shape(values)[0]
    is_own = tf.range(pieces)[:, None, None] == own
    return tf.reshape(tf.where(is_own, values, tf.zeros_like(values)), [-1, values.shape[1]])


def batch_signature(
    split: Split, states: PrefixStates | None = None, *, packed: bool = False
) -> dict[str, Any]:
    """Types and shapes: tokens [b, t] or states [b, t, hidden], targets [b, ...], weights [b].

    Packed, targets are [b, s, ...] and weights [b, s], for s texts a row. Where each process has
    a part of the batch, the places of its rows among all, [b], and how many there are.
    """
    tokens = tf.TensorSpec([None, None], tf.int32)
    inputs = {"token_ids": tokens, "token_type_ids": tokens}
    if states is not None:
        width, dtype = states.values.shape[1], tf.as_dtype(states.values.dtype)
        inputs = {"states": tf.TensorSpec([None, None, width], dtype)}
    elif packed:
        inputs["position_ids"] = tokens
    if packed:
        inputs["first_tokens"] = tokens
    if is_shared_out(states):
        inputs["places"] = tf.TensorSpec([None], tf.int32)
        inputs["places_in_all"] = tf.TensorSpec([], tf.int32)
    examples = [None, None] if packed else [None]
    return {
        **inputs,
        "attention_mask": tokens,
        "targets": tf.TensorSpec([*examples, *split.labels.shape[1:]], split.labels.dtype),
        "weights": tf.TensorSpec(examples, tf.float32),
        "weight_sum": tf.TensorSpec([], tf.float32),
        "position": tf.TensorSpec([3], tf.int64),
    }


def _dataset(
    batches: Callable[[], Iterator[dict[str, Any]]],
    split: Split,
    states: PrefixStates | None,
    *,
    packed: bool = False,
) -> tf.data.Dataset:
    signature = batch_signature(split, states, packed=packed)
    dataset = tf.data.Dataset.from_generator(batches, output_signature=signature)
    options = tf.data.Options()
    options.deterministic = True
    # There is nothing to tune, and the thread that tunes can miss that its iterator was
    # deleted: whoever deleted it then waits until the thread's next turn, up to a minute.
    options.autotune.enabled = False
    return dataset.prefetch(_PREFETCHED_BATCHES).with_options(options)
