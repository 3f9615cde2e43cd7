"""What each layer knows of every text: one vector a text, layer and pooling, from a single pass."""

import os
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from tf_finetune.data.splits import Split
from tf_finetune.encoders.family import Pooling
from tf_finetune.machine.memory import host_bytes
from tf_finetune.models.classifier import Classifier
from tf_finetune.storage.disk_space import told_when_full
from tf_finetune.training.pipeline import (
    BatchShape,
    evaluation_dataset,
    evaluation_order,
    reads_of_batch,
)

# Of the machine's memory; what takes more lies in a file while it is needed.
_SHARE_OF_MEMORY = 0.25
# The first batch is traced; with the next ones a pass can be foretold.
_SAMPLED_BATCHES = 4


def layer_vectors(
    classifier: Classifier,
    split: Split,
    shape: BatchShape,
    poolings: Sequence[Pooling],
    folder: Path,
    foretell: Callable[[float], None],
) -> tuple[np.ndarray, float]:
    """What a head would read above each layer, float32 [layers, poolings, m, hidden], and seconds.

    Of m reads, row after row; see `ReadVectors`. The seconds are those of the pass without tracing.

    Args:
        classifier: The whole encoder, before fine-tuning; its plan does not matter.
        split: The texts.
        shape: How batches are cut; one replica.
        poolings: None that goes through the pooler.
        folder: Where a file lies while the vectors are in use, if the memory should not hold them.
        foretell: Is told after a few batches how many seconds the pass will take.

    Raises:
        DiskFullError: They are too many for the memory, and the disk has no room either.
    """

    @tf.function(autograph=False)
    def vectors(iterator: Any) -> tf.Tensor:
        return classifier.layer_reads(next(iterator).inputs, poolings)

    sizes = classifier.files.sizes
    counts = split.is_read.sum(axis=1)
    starts = np.cumsum(counts) - counts
    found = _room((sizes.layers, len(poolings), int(counts.sum()), sizes.hidden), folder)
    order = evaluation_order(split, shape)
    work = np.cumsum(np.where(order >= 0, split.lengths[order], 0))
    iterator = iter(evaluation_dataset(split, shape))
    row = batches = traced = 0
    began = time.monotonic()
    while row < len(order):
        batch = vectors(iterator).numpy()
        places = order[row : row + shape.batch_size]
        reads = reads_of_batch(split, shape, places[places >= 0])
        is_read = np.where(places[:, None] >= 0, split.is_read[places, :reads], False)
        to = np.concatenate([starts[p] + np.arange(counts[p]) for p in places[places >= 0]])
        found[:, :, to] = batch[:, :, is_read.reshape(-1)]
        row, batches = row + len(places), batches + 1
        if batches == 1 and row < len(order):
            began, traced = time.monotonic(), int(work[row - 1])
        elif batches == _SAMPLED_BATCHES:
            rate = (time.monotonic() - began) / (work[row - 1] - traced)
            foretell(float(rate * work[-1]))
    seconds = time.monotonic() - began
    return found, float(seconds * work[-1] / (work[-1] - traced))


def _room(shape: tuple[int, ...], folder: Path) -> np.ndarray:
    """Uninitialised values in memory, or in a file that is gone with the array."""
    needed = int(np.prod(shape)) * np.dtype(np.float32).itemsize
    if needed <= _SHARE_OF_MEMORY * host_bytes():
        return np.empty(shape, np.float32)
    with told_when_full(folder, needed), tempfile.TemporaryFile(dir=folder) as file:
        os.posix_fallocate(file.fileno(), 0, needed)  # else a full disk would end the process
        return np.memmap(file, np.float32, "r+", shape=shape)
