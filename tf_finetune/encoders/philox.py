"""Philox as plain arithmetic on every number's place, for XLA to fuse into what uses it.

XLA's own expansion makes whole blocks of four numbers and puts them in order afterwards: on a
TPU that fills memory with numbers used once, and takes most of the compiler's time
(`docs/findings.md`). Here each number is computed where it is needed, its three neighbours in
the block for nothing. As operations one by one, on a CPU, it would be slow: use the kernel.
"""

import tensorflow as tf

_ROUNDS = 10
_MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
_KEY_STEPS = (0x9E3779B9, 0xBB67AE85)
_BLOCK = 4


def uniform_by_place(
    shape: tf.Tensor, rank: int, key: tf.Tensor, counter: tf.Tensor, blocks: tf.Tensor
) -> tf.Tensor:
    """The numbers of `StatelessRandomUniformV2`, where each row starts on a block of its own.

    Args:
        shape: Rows and the shape of one, int64 `[rank]`.
        rank: Its length, at least 2.
        key: As the kernel's, uint64 [1].
        counter: Of the first block of the first row, uint64 [2].
        blocks: Blocks of four numbers that a row takes, int64 scalar.

    Returns:
        Numbers in [0, 1), float32 of that shape.
    """
    unit = tf.zeros([1] * rank, tf.uint32)  # number of each unit in its row
    size = tf.constant(1, tf.uint32)
    for axis in reversed(range(1, rank)):
        unit += _along(axis, rank, tf.cast(tf.range(shape[axis]), tf.uint32) * size)
        size *= tf.cast(shape[axis], tf.uint32)
    first = counter[0] + tf.cast(tf.range(shape[0]) * blocks, tf.uint64)
    low, high = (_along(0, rank, word) for word in _words(first))
    inside = tf.bitwise.right_shift(unit, _u32(2))
    low += inside
    high += tf.cast(low < inside, tf.uint32)  # the carry
    numbers = _philox((low, high, *_words(counter[1])), _words(key[0]))
    lane = tf.bitwise.bitwise_and(unit, _u32(_BLOCK - 1))
    chosen = numbers[0]
    for index in range(1, _BLOCK):
        chosen = tf.where(tf.equal(lane, _u32(index)), numbers[index], chosen)
    # The kernel's way: the lowest 23 bits become the fraction.
    fraction = tf.cast(tf.bitwise.bitwise_and(chosen, _u32(0x7FFFFF)), tf.int32)
    return tf.cast(fraction, tf.float32) * tf.constant(2.0**-23)


def _philox(
    counter: tuple[tf.Tensor, ...], key: tuple[tf.Tensor, tf.Tensor]
) -> tuple[tf.Tensor, ...]:
    """The four numbers of a block (Salmon et al. 2011, Philox4x32-10)."""
    c0, c1, c2, c3 = counter
    k0, k1 = key
    xor = tf.bitwise.bitwise_xor
    for _ in range(_ROUNDS):
        high0, low0 = _product(c0, _MULTIPLIERS[0])
        high1, low1 = _product(c2, _MULTIPLIERS[1])
        c0, c1, c2, c3 = xor(xor(high1, c1), k0), low1, xor(xor(high0, c3), k1), low0
        k0, k1 = k0 + _u32(_KEY_STEPS[0]), k1 + _u32(_KEY_STEPS[1])
    return c0, c1, c2, c3


def _product(x: tf.Tensor, factor: int) -> tuple[tf.Tensor, tf.Tensor]:
    """High and low word of a product, from products of halves: a TPU has no 64-bit integers."""
    mask, half = _u32(0xFFFF), _u32(16)
    shift, keep = tf.bitwise.right_shift, tf.bitwise.bitwise_and
    x_low, x_high = keep(x, mask), shift(x, half)
    f_low, f_high = _u32(factor & 0xFFFF), _u32(factor >> 16)
    middle = x_high * f_low + shift(x_low * f_low, half)
    other = x_low * f_high + keep(middle, mask)
    return x_high * f_high + shift(middle, half) + shift(other, half), x * _u32(factor)


def _words(value: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Low and high 32 bits of uint64 numbers."""
    shift = tf.constant(32, tf.uint64)
    return tf.cast(value, tf.uint32), tf.cast(tf.bitwise.right_shift(value, shift), tf.uint32)


def _along(axis: int, rank: int, values: tf.Tensor) -> tf.Tensor:
    """A vector along one axis of a tensor of that rank."""
    return tf.reshape(values, [-1 if index == axis else 1 for index in range(rank)])


def _u32(value: int) -> tf.Tensor:
    return tf.constant(value, tf.uint32)
