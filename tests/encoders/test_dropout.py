"""What is dropped follows from (seed, step, site, row, unit) and from nothing else."""

import numpy as np
import pytest
import tensorflow as tf

from tf_finetune.encoders.dropout import PositionalDropout, dropout_position

pytestmark = pytest.mark.numeric


def dropped(layer, inputs, *, seed=1, step=2, row=0, rows=None):
    with dropout_position(tf.constant([seed, step, row], tf.int64), rows):
        return layer(inputs, training=True).numpy()


@pytest.fixture(scope="module")
def ones():
    return tf.ones([6, 10, 32])


def test_share_of_dropped_units_is_the_rate_and_the_rest_is_scaled():
    result = dropped(PositionalDropout(0.3, 0), tf.ones([1000, 100]))

    assert set(np.unique(result)) == {np.float32(0), np.float32(1 / 0.7)}
    # Five standard deviations of the share of 100,000 units.
    assert np.mean(result == 0) == pytest.approx(0.3, abs=5 * (0.3 * 0.7 / 1e5) ** 0.5)


def test_same_position_drops_the_same(ones):
    layer = PositionalDropout(0.5, 3)

    np.testing.assert_array_equal(dropped(layer, ones), dropped(layer, ones))


@pytest.mark.parametrize("other", [{"seed": 2}, {"step": 3}, {"row": 1}, {"site": 4}])
def test_other_seed_step_row_or_site_drops_other_units(ones, other):
    site = other.pop("site", 3)
    first = dropped(PositionalDropout(0.5, 3), ones) == 0
    second = dropped(PositionalDropout(0.5, site), ones, **other) == 0

    # Two unrelated masks agree in half of the units.
    assert np.mean(first == second) == pytest.approx(0.5, abs=0.06)


@pytest.mark.parametrize("shape", [(6, 32), (6, 10, 4), (6, 4, 10, 10), (6, 3, 2, 2)])
def test_slices_drop_what_the_whole_batch_drops(shape):
    layer = PositionalDropout(0.5, 1)
    inputs = tf.ones(shape)
    pieces = [dropped(layer, inputs[first : first + 2], row=first) for first in (0, 2, 4)]

    np.testing.assert_array_equal(np.concatenate(pieces), dropped(layer, inputs))


def test_slices_of_rows_that_are_no_whole_blocks_drop_what_the_whole_batch_drops():
    layer = PositionalDropout(0.5, 1, whole_blocks=False)
    inputs = tf.ones([6, 3, 1, 50])  # 150 units a row
    pieces = [dropped(layer, inputs[first : first + 2], row=first) for first in (0, 2, 4)]

    whole = dropped(layer, inputs)

    np.testing.assert_array_equal(np.concatenate(pieces), whole)
    assert np.mean(whole == 0) == pytest.approx(0.5, abs=0.06)


@pytest.mark.parametrize("whole_blocks", [True, False])
def test_scattered_rows_drop_what_they_drop_in_the_whole_batch(whole_blocks):
    layer = PositionalDropout(0.5, 1, whole_blocks=whole_blocks)
    inputs = tf.ones([6, 3, 4 if whole_blocks else 5])
    places = [4, 1, 2]

    found = dropped(layer, inputs[:3], row=2, rows=tf.constant(places))

    np.testing.assert_array_equal(found, dropped(layer, inputs)[places])


@pytest.mark.parametrize(
    ("shape", "whole_blocks"),
    [((6, 32), True), ((3, 4, 10, 10), True), ((6, 3, 1, 50), False)],
)
@pytest.mark.parametrize("row", [0, 42949672, 2**33 + 1])
def test_where_xla_compiles_the_same_units_are_dropped(shape, whole_blocks, row):
    layer, inputs = PositionalDropout(0.5, 7, whole_blocks), tf.ones(shape)
    # More than 32 bits everywhere; 42949672 rows of 100 blocks end 96 blocks before 2**32.
    position = tf.constant([2**40 + 7, 2**35 + 11, row], tf.int64)

    found = []
    for for_xla in (False, True):
        with dropout_position(position, for_xla=for_xla):
            found.append(layer(inputs, training=True))

    np.testing.assert_array_equal(*found)
    assert 0.3 < np.mean(found[0] == 0) < 0.7


def test_what_all_texts_share_is_dropped_alike_in_every_piece_of_a_batch():
    layer, table = PositionalDropout(0.5, 1, shared=True), tf.ones([9, 8])
    whole = dropped(layer, table)

    np.testing.assert_array_equal(dropped(layer, table, row=4), whole)
    np.testing.assert_array_equal(dropped(layer, table, rows=tf.constant([3, 1])), whole)
    assert (dropped(layer, table, step=3) != whole).any()


def test_inference_and_rate_zero_change_nothing(ones):
    assert PositionalDropout(0.5, 0)(ones, training=False) is ones
    assert PositionalDropout(0.0, 0)(ones, training=True) is ones


def test_inference_adds_no_operation():
    graph = tf.function(lambda x: PositionalDropout(0.5, 0)(x, training=False) + 1)

    operations = graph.get_concrete_function(tf.ones([2])).graph.get_operations()

    assert not [o.name for o in operations if "Random" in o.type or "Mul" in o.type]


def test_training_without_a_position_is_refused(ones):
    with pytest.raises(RuntimeError, match=r"needs a surrounding dropout_position"):
        PositionalDropout(0.5, 0)(ones, training=True)


def test_position_ends_with_its_block_also_after_an_error(ones):
    with pytest.raises(ZeroDivisionError), dropout_position(tf.zeros([3], tf.int64)):
        raise ZeroDivisionError

    with pytest.raises(RuntimeError, match="dropout_position"):
        PositionalDropout(0.5, 0)(ones, training=True)
