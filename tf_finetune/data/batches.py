"""Which examples go into which batch, so that little is padding.

Only index arithmetic on lengths: nothing here reads tokens or knows TensorFlow.
"""

from typing import Literal

import numpy as np

from tf_finetune.data.permutation import stable_permutation
from tf_finetune.tasks.encoding import LabelEncoding

SMALLEST_BUCKET = 16

Padding = Literal["longest", "buckets", "max", "packed"]


def resolve_padding(
    padding: Literal["auto"] | Padding, *, compiles: bool, packs: bool = True
) -> Padding:
    """What `training.padding` means in training.

    Args:
        padding: As configured.
        compiles: Whether XLA compiles every shape of a step anew.
        packs: Whether a row may hold several texts.
    """
    if padding != "auto":
        return padding
    if not compiles:
        return "longest"
    return "packed" if packs else "buckets"


def packing_problems(padding: str, task: LabelEncoding | type[LabelEncoding]) -> list[str]:
    """What is wrong with `training.padding` where a task's rows are answered as a whole."""
    if padding != "packed" or not task.joins_reads:
        return []
    return [
        f"training.padding: received packed for a {task.task} task, whose rows are answered as a "
        "whole; accepted: auto, longest, buckets, max"
    ]


def epoch_batches(
    lengths: np.ndarray, batch_size: int, *, seed: int, epoch: int, window_batches: int = 50
) -> list[np.ndarray]:
    """The batches of one training epoch, as a pure function of (seed, epoch).

    The examples are permuted, cut in windows of `window_batches` batches, sorted by length
    inside each window and cut into batches, which are then shuffled. So a batch holds texts
    of like length while chance decides, anew every epoch, which texts share a batch.

    Args:
        lengths: Tokens of each example, int32 `[n]`.
        batch_size: Examples a batch.
        seed: Seed of the run.
        epoch: Number of the epoch.
        window_batches: Batches sorted together; more means less padding and less chance.

    Returns:
        `ceil(n / batch_size)` arrays of example indices, int64. Every example is in exactly
        one; at most one batch is smaller than `batch_size`, and it may be anywhere.
    """
    order = stable_permutation(len(lengths), seed, epoch)
    # What does not fill a batch is set apart before sorting: taken after it, the small batch
    # would always get the longest texts, and its mean loss would weigh them more.
    whole = len(order) - len(order) % batch_size
    batches = [order[whole:]] if whole < len(order) else []
    window = batch_size * window_batches
    for start in range(0, whole, window):
        rows = order[start : min(start + window, whole)]
        rows = rows[np.argsort(lengths[rows], kind="stable")]
        batches.extend(rows.reshape(-1, batch_size))
    return [batches[index] for index in stable_permutation(len(batches), seed, epoch, 1)]


def evaluation_batches(lengths: np.ndarray, batch_size: int) -> list[np.ndarray]:
    """Batches for scoring: every example once, longest first.

    Longest first, so that a batch too big for the device fails at once.

    Args:
        lengths: Tokens of each example, int32 `[n]`.
        batch_size: Examples a batch; only the last may be smaller.

    Returns:
        Arrays of example indices, int64.
    """
    order = np.argsort(-lengths.astype(np.int64), kind="stable")
    return [order[start : start + batch_size] for start in range(0, len(order), batch_size)]


def length_buckets(max_length: int) -> tuple[int, ...]:
    """The few lengths that `buckets` pads to: 16, 24, 32, 48, 64, 96, ... and max_length.

    Powers of two from 16 and the middle between each two, all below `max_length`, and
    `max_length` itself: 7 shapes for 128 tokens, 11 for 512. A text longer than 16 tokens is
    padded by less than half of its length.
    """
    buckets: list[int] = []
    power = SMALLEST_BUCKET
    while power < max_length:
        buckets += [power, power * 3 // 2]
        power *= 2
    return (*(length for length in buckets if length < max_length), max_length)


def padded_length(longest: int, padding: Padding, max_length: int) -> int:
    """The length to which a batch is padded.

    Args:
        longest: Tokens of the longest text of the batch.
        padding: `longest` pads to that text, `buckets` to the next of `length_buckets`,
            `max` and `packed` to `max_length`.
        max_length: `data.max_length`; `longest` never exceeds it.

    Returns:
        Length in tokens.

    Raises:
        ValueError: If `longest` exceeds `max_length`.
    """
    if longest > max_length:
        raise ValueError(f"a text of {longest} tokens is longer than max_length {max_length}")
    if padding == "longest":
        return longest
    if padding in ("max", "packed"):
        return max_length
    return next(length for length in length_buckets(max_length) if length >= longest)
