"""Growing parts of the training examples: each holds the smaller ones of its draw."""

import numpy as np

from tf_finetune.data.splits import Split
from tf_finetune.data.stratification import strata_of, take_sample
from tf_finetune.tasks.labels import LabelSpace

# Sizes at most, each half of the next; with fewer than that many examples of a class a part says
# nothing about it.
_MOST_SIZES = 5
_FEWEST_OF_CLASS = 2
_FEWEST = 16
_DRAWS = 3  # what tells this sampling from the others of a seed


def part_sizes(train: Split, labels: LabelSpace) -> tuple[int, ...]:
    """How many examples the parts have, the fewest first and all of them last."""
    fewest = max(_FEWEST, _FEWEST_OF_CLASS * len(labels.counted_names))
    sizes = [len(train)]
    while len(sizes) < _MOST_SIZES and sizes[0] // 2 >= fewest:
        sizes.insert(0, sizes[0] // 2)
    return tuple(sizes)


def part_of(train: Split, labels: LabelSpace, size: int, seed: int) -> Split:
    """So many examples in the proportions of all, drawn by the seed.

    Args:
        train: All training examples.
        labels: What their labels mean.
        size: From the number of strata to all.
        seed: Of the draw.
    """
    strata = strata_of(labels, train.labels, most=max(1, size // _FEWEST_OF_CLASS))
    return train.select(np.flatnonzero(take_sample(strata, size, seed, _DRAWS)))
