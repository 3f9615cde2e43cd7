"""Arrays of a package come back bit by bit and take as little room as they can."""

import ml_dtypes
import numpy as np
import pytest

from tf_finetune.preflight.device.arrays import ArrayStore, as_bfloat16, from_seed

NUMBERS = np.random.default_rng(0).normal(size=(4, 5))


@pytest.mark.parametrize(
    "value",
    [
        NUMBERS.astype(np.float32),
        as_bfloat16(NUMBERS.astype(np.float32)),
        NUMBERS.astype(ml_dtypes.bfloat16),
        NUMBERS.astype(np.float16),
        np.arange(6, dtype=np.int32).reshape(2, 3),
        np.arange(2**16 - 4, 2**16, dtype=np.uint16),
        np.full((2, 3), 0.1, np.float32),
        np.full((2, 3), 0.1, ml_dtypes.bfloat16),
        np.array(7, np.int64),
        np.zeros((0, 3), np.float32),
    ],
    ids=lambda value: f"{value.dtype.name}{value.shape}",
)
def test_an_array_comes_back_as_it_was(tmp_path, value):
    entry = ArrayStore(tmp_path).put(value)

    np.testing.assert_array_equal(ArrayStore(tmp_path).get(entry), value, strict=True)


def test_equal_arrays_are_kept_once_and_numbers_of_two_bytes_in_two(tmp_path):
    store = ArrayStore(tmp_path)
    whole = np.random.default_rng(0).normal(size=10_000).astype(np.float32)

    assert store.put(whole) == store.put(whole.copy())
    (large,) = tmp_path.iterdir()
    rounded = ArrayStore(tmp_path / "rounded")
    rounded.put(as_bfloat16(whole))
    (small,) = (tmp_path / "rounded").iterdir()

    assert small.stat().st_size < 0.55 * large.stat().st_size


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_of_what_was_made_from_a_seed_nothing_but_the_seed_is_kept(tmp_path, dtype):
    store = ArrayStore(tmp_path)
    value = store.seeded((3, 4), 5, 0.5, dtype)

    entry = store.put(value)

    assert entry["seed"] == 5 and not list(tmp_path.iterdir())
    np.testing.assert_array_equal(ArrayStore(tmp_path).get(entry), value, strict=True)


def test_numbers_of_a_seed_are_spread_evenly_and_the_same_for_ever():
    drawn = from_seed((10_000,), seed=3, spread=0.5)

    assert drawn.dtype == np.float32 and np.abs(drawn).max() <= 0.5
    # A mean of 10,000 such numbers deviates by 0.5 / sqrt(3) / 100, and their square by 1 %.
    assert abs(drawn.mean()) < 4 * 0.0029
    assert drawn.std() == pytest.approx(0.5 / 3**0.5, rel=0.03)
    np.testing.assert_array_equal(from_seed((2,), 3, 1.0), from_seed((4,), 3, 1.0)[:2])


def test_rounding_is_that_of_bfloat16_itself():
    values = np.concatenate([NUMBERS.ravel(), [1.00390625, 1.01171875]]).astype(np.float32)

    expected = values.astype(ml_dtypes.bfloat16).astype(np.float32)

    np.testing.assert_array_equal(as_bfloat16(values), expected)
