"""Shapes of the step's batch, texts packed or one a row."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from tf_finetune.data.batches import Padding
from tf_finetune.data.packing import packed_shape, packed_slots


@dataclass(frozen=True)
class StepShape:
    """What one device is given in a step.

    Attributes:
        rows: Rows of the batch.
        length: Tokens of a row, even as in training.
        texts_a_row: Room for texts in a row; None where each has a row of its own.
    """

    rows: int
    length: int
    texts_a_row: int | None = None


@lru_cache
def step_shape(
    batch_size: int, pieces: int, devices: int, max_length: int, padding: Padding, mean_tokens: int
) -> StepShape:
    """Shape of a step's batch on one device.

    Packed, it follows from the lengths of the texts, which are assumed to be spread evenly
    around their mean, as widely as a row allows, and packed as training packs them.

    Args:
        batch_size: Texts a step over all devices, a multiple of `pieces`.
        pieces: Equal parts of a batch: devices times micro-batches.
        devices: Devices that it is split over.
        max_length: `data.max_length`.
        padding: `training.padding`, resolved; other than packed it is taken to be the longest.
        mean_tokens: Mean tokens of a text, 1 to `max_length`.
    """
    length = max_length + max_length % 2
    if padding != "packed":
        return StepShape(batch_size // devices, length)
    spread = min(mean_tokens - 1, max_length - mean_tokens)
    shortest = mean_tokens - spread
    if 2 * shortest > length:  # no two share a row
        return StepShape(batch_size // devices, length, packed_slots(1))
    lengths = np.linspace(shortest, mean_tokens + spread, batch_size).round().astype(np.int32)
    packed = packed_shape(lengths, batch_size, length, seed=0)
    rows = -(-packed.rows // pieces) * pieces
    return StepShape(rows // devices, length, packed.slots)
