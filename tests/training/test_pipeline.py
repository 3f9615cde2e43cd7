"""How a batch is read, filled up, ordered and cut."""

from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf

from tf_finetune.data.batch import Consecutive, WholeBatch
from tf_finetune.data.states import PrefixStates
from tf_finetune.training.pipeline import (
    BatchShape,
    evaluation_dataset,
    evaluation_order,
    global_batch,
    in_its_place,
    piece_rows,
    rows_of,
    step_examples,
    steps_per_epoch,
    training_dataset,
)


def texts(split, batches):
    """Text of every row of some batches that has a weight."""
    by_tokens = {}
    for index in range(len(split)):
        tokens = split.gather(np.array([index])).token_ids[0]
        by_tokens[tuple(tokens)] = split.texts(np.array([index]))[0][0]
    found = []
    for batch in batches:
        for ids, mask, weight in zip(
            batch.inputs.content.ids, batch.inputs.texts.mask, batch.weights, strict=True
        ):
            if weight > 0:
                found.append(by_tokens[tuple(np.asarray(ids)[np.asarray(mask) == 1])])
    return found


def batches_of(splits, shape, *, seed=1, first=0, last=5, weights=None):
    weights = np.ones(len(splits.train), np.float32) if weights is None else weights
    dataset = training_dataset(
        splits.train, weights, shape, seed=seed, first_step=first, last_step=last
    )
    return list(dataset.as_numpy_iterator())


@pytest.mark.parametrize(
    ("shape", "examples", "rows"),
    [
        (BatchShape(8), 8, 8),
        (BatchShape(8), 5, 5),
        (BatchShape(8, replicas=2), 5, 6),
        (BatchShape(8, replicas=2, micro_batches=2), 5, 8),
        (BatchShape(8, replicas=2, fixed_rows=True), 5, 8),
        (BatchShape(8, replicas=3), 8, 9),
    ],
)
def test_rows_of_a_batch_are_a_multiple_of_its_pieces(shape, examples, rows):
    assert shape.batch_rows(examples) == rows


def test_steps_count_the_smaller_batch():
    assert [steps_per_epoch(n, 8) for n in (1, 8, 9)] == [1, 1, 2]


def test_epoch_holds_every_example_once_in_an_order_of_its_own(splits):
    first = texts(splits.train, batches_of(splits, BatchShape(8)))
    second = texts(splits.train, batches_of(splits, BatchShape(8), first=5, last=10))

    everything = [text for text, _ in splits.train.texts(np.arange(len(splits.train)))]
    assert sorted(first) == sorted(second) == sorted(everything)
    assert first != second


@pytest.mark.parametrize("padding", ["longest", "packed"])
def test_examples_of_a_step_are_those_of_its_batch(splits, padding):
    shape = BatchShape(8, max_length=32, padding=padding)
    number = np.arange(1, len(splits.train) + 1, dtype=np.float32)  # as the weight of each example

    for step, batch in enumerate(batches_of(splits, shape, first=3, last=10, weights=number), 3):
        examples = step_examples(splits.train, shape, seed=1, step=step)
        assert sorted(batch.weights[batch.weights > 0]) == sorted(number[examples])


def test_packed_pieces_are_counted_in_rows(splits):
    by_itself = BatchShape(8, replicas=2, max_length=32)
    packed = replace(by_itself, padding="packed")
    (first,) = batches_of(splits, replace(packed, replicas=1), last=1)

    assert piece_rows(splits.train, by_itself, seed=1) == 4
    assert piece_rows(splits.train, packed, seed=1) == -(-len(first.weights) // 2) < 4


def test_steps_can_be_started_anywhere(splits):
    whole = batches_of(splits, BatchShape(8), last=10)
    rest = batches_of(splits, BatchShape(8), first=7, last=10)

    for expected, batch in zip(whole[7:], rest, strict=True):
        tf.nest.map_structure(np.testing.assert_array_equal, batch, expected)


def test_rows_of_a_batch_say_where_they_stand(splits):
    batch = batches_of(splits, BatchShape(8))[0]

    right = rows_of(batch, 4, 4)

    for found, whole in zip(tf.nest.flatten(right[:3]), tf.nest.flatten(batch[:3]), strict=True):
        np.testing.assert_array_equal(found, whole[4:])
    assert right.whole == batch.whole
    assert right.place == Consecutive(4)


def test_rows_that_fill_up_have_no_weight(splits):
    rows = np.arange(5)
    weights = np.full(len(splits.train), 2.0, np.float32)

    batch = global_batch(splits.train, rows, weights, BatchShape(8, replicas=2), step=3, seed=9)

    assert batch.weights.tolist() == [[2], [2], [2], [2], [2], [0]]
    assert batch.whole == WholeBatch(seed=9, step=3, weight_sum=10)
    assert batch.place == Consecutive(0)


@pytest.mark.parametrize(("padding", "length"), [("longest", 12), ("buckets", 16), ("max", 32)])
def test_length_of_a_batch_is_even(splits, padding, length):
    rows = np.flatnonzero(splits.train.lengths == 11)[:1]
    shape = BatchShape(8, padding=padding, max_length=32)

    batch = global_batch(splits.train, rows, np.ones(99, np.float32), shape, step=0)

    assert batch.inputs.content.ids.shape == (1, length)


@pytest.mark.parametrize("shape", [BatchShape(5), BatchShape(5, replicas=2), BatchShape(100)])
def test_evaluation_order_says_which_example_stands_in_which_row(splits, shape):
    batches = list(evaluation_dataset(splits.test, shape).as_numpy_iterator())
    order = evaluation_order(splits.test, shape)
    targets = np.concatenate([batch.targets for batch in batches])[:, 0]

    assert sorted(order[order >= 0]) == list(range(len(splits.test)))
    np.testing.assert_array_equal(targets[order >= 0], splits.test.labels[order[order >= 0]])


@pytest.fixture(scope="module")
def states_of_process(splits):
    """States of width 2 at depth 1 of every second training example, from `rank` on."""
    states = {}
    for rank in (0, 1):
        own = np.arange(len(splits.train)) % 2 == rank
        lengths = splits.train.lengths[own].astype(np.int64)
        ends = np.cumsum(lengths)
        values = np.arange(2 * ends[-1], dtype=np.float32).reshape(-1, 2)
        kept = PrefixStates(values, ends - lengths, lengths, depth=1)
        states[rank] = kept.among(own, splits.train.lengths, splits.train.read_counts)
    return states


def test_each_process_reads_its_own_rows_of_a_batch(splits, states_of_process):
    rows, shape = np.array([3, 8, 4, 10, 12]), BatchShape(5, replicas=4, processes=2)
    weights = np.arange(36, dtype=np.float32)

    even, odd = (
        global_batch(splits.train, rows, weights, shape, step=0, states=states_of_process[rank])
        for rank in (0, 1)
    )

    # Two replicas a process, so an even number of rows.
    assert even.place.places.tolist() == [1, 2, 3, 4]
    assert even.weights.tolist() == [[8], [4], [10], [12]]
    assert odd.place.places.tolist() == [0, 0]
    assert odd.weights.tolist() == [[3], [0]]
    for batch in (even, odd):
        assert (batch.whole.weight_sum, batch.place.count) == (37, 5)
        # So long as for one process: dropout is drawn by place.
        assert batch.inputs.content.values.shape[1] - splits.train.lengths[rows].max() in (0, 1)
    values = even.inputs.content.values
    own = states_of_process[0].gather(np.array([8]), pad_to=values.shape[1])
    np.testing.assert_array_equal(values[0], own[0])


def test_process_without_a_row_of_a_batch_computes_one_without_weight(splits, states_of_process):
    rows, shape = np.array([2, 4]), BatchShape(2, replicas=2, processes=2)

    batch = global_batch(
        splits.train, rows, np.ones(36, np.float32), shape, step=0, states=states_of_process[1]
    )

    assert (batch.weights.tolist(), batch.whole.weight_sum) == ([[0.0]], 2.0)


def test_order_of_batches_that_are_shared_out_has_no_filling(splits, states_of_process):
    order = evaluation_order(splits.train, BatchShape(7, replicas=2), states_of_process[0])

    assert sorted(order) == list(range(36))


def test_nothing_tunes_the_pipeline(splits):
    # The thread that would can hold up the end of an iterator for up to a minute.
    dataset = evaluation_dataset(splits.test, BatchShape(8))

    assert dataset.options().autotune.enabled is False


def test_a_piece_stands_where_it_was_cut_from():
    values = np.array([[1, np.inf], [-3, np.nan]], np.float32)

    for first in (0, 2, 4):
        expected = np.zeros((6, 2), np.float32)
        expected[first : first + 2] = values
        found = in_its_place(tf.constant(values), tf.constant(first, tf.int64), 3)
        np.testing.assert_array_equal(found, expected)


def test_one_program_places_every_piece():
    compiled = tf.function(lambda *piece: in_its_place(*piece, 3), jit_compile=True)
    # Without values, as several TPU cores compile it: what a shape depends on has to be known.
    specs = tf.TensorSpec([2, 4]), tf.TensorSpec([], tf.int64)

    hlo = compiled.experimental_get_compiler_ir(*specs)(stage="hlo", platform_name="CPU")

    assert "->f32[6,4]" in hlo
