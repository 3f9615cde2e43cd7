"""Computes the states of a layout from the tokens, or from the states at a smaller depth."""

import time
from collections.abc import Iterator

import numpy as np

from tf_finetune.data.splits import Split
from tf_finetune.data.states import PrefixStates
from tf_finetune.errors import UserError
from tf_finetune.prefix.decision import Measured
from tf_finetune.prefix.layout import Layout
from tf_finetune.training.fine_tuner import FineTuner
from tf_finetune.training.pipeline import (
    BatchShape,
    evaluation_dataset,
    evaluation_order,
    steps_per_epoch,
)

_SAMPLED_BATCHES = 2


def compute_block(
    model: FineTuner,
    layout: Layout,
    shape: BatchShape,
    shallower: PrefixStates | None,
    index: int,
) -> np.ndarray:
    """The values of one block in stored order, `[tokens, hidden]`.

    Args:
        model: Its plan freezes `layout.depth` layers.
        layout: Where states stand.
        shape: How batches are cut.
        shallower: The same split's states at a smaller depth, to begin with.
        index: The block.

    Raises:
        UserError: A state is larger than float16 can hold.
    """
    examples = layout.block(index)
    tokens = layout.block_tokens(index)
    values = np.empty((tokens.stop - tokens.start, layout.hidden), layout.dtype)
    row = 0
    order = evaluation_order(layout.split.select(examples), shape)
    for batch in _boundary_states(model, layout.split, shape, shallower, examples):
        for states, place in zip(batch, order[row : row + len(batch)], strict=True):
            if place >= 0:  # else a row that fills the batch up
                example = examples[place]
                start = layout.starts[example] - tokens.start
                length = layout.lengths[example]
                with np.errstate(over="ignore"):  # looked for below
                    values[start : start + length] = states[:length]
        row += len(batch)
    if layout.dtype == np.float16 and not np.isfinite(values).all():
        raise UserError(
            f"cache.dtype: states at depth {layout.depth} do not fit float16 (up to 65,504); "
            "accepted here: float32, bfloat16",
            hint="Where auto chose float16, neither budget has room for float32: raise "
            "cache.disk_budget, or set cache.mode=off.",
        )
    return values


def measure(
    model: FineTuner,
    layout: Layout,
    shape: BatchShape,
    shallower: PrefixStates | None,
    examples: int,
) -> Measured:
    """Times a few batches of the split, as they would be computed and read.

    Args:
        model: Its plan freezes `layout.depth` layers.
        layout: Where states stand.
        shape: How batches are cut.
        shallower: What a fill would begin with.
        examples: How many a pass has, over all splits.
    """
    size = min(_SAMPLED_BATCHES * shape.batch_size, len(layout.split))
    sample = np.sort(np.random.default_rng(0).choice(len(layout.split), size, replace=False))
    share = examples / size
    prefix = _seconds(model, layout.split, shape, None, sample) * share
    fill = prefix
    if shallower is not None:
        fill = _seconds(model, layout.split, shape, shallower, sample) * share
    return Measured(prefix, _read_seconds(layout, sample) * share, fill)


def _seconds(
    model: FineTuner,
    split: Split,
    shape: BatchShape,
    shallower: PrefixStates | None,
    sample: np.ndarray,
) -> float:
    """Seconds for a sample; a first run, which traces, does not count."""
    first = sample[: shape.batch_size]
    for _ in _boundary_states(model, split, shape, shallower, first):
        pass
    began = time.perf_counter()
    for _ in _boundary_states(model, split, shape, shallower, sample):
        pass
    return time.perf_counter() - began


def _read_seconds(layout: Layout, sample: np.ndarray) -> float:
    lengths = layout.lengths[sample]
    values = np.zeros((int(lengths.sum()), layout.hidden), layout.dtype)
    states = PrefixStates(values, np.cumsum(lengths) - lengths, lengths, layout.depth)
    began = time.perf_counter()
    states.gather(np.arange(len(sample)), pad_to=int(lengths.max()))
    return time.perf_counter() - began


def _boundary_states(
    model: FineTuner,
    split: Split,
    shape: BatchShape,
    shallower: PrefixStates | None,
    examples: np.ndarray,
) -> Iterator[np.ndarray]:
    part = split.select(examples)
    states = None if shallower is None else shallower.select(examples)
    return model.boundary_states(
        evaluation_dataset(part, shape, states),
        steps_per_epoch(len(part), shape.batch_size),
        0 if shallower is None else shallower.depth,
    )
