"""`tf.data` batches of pairs of texts, which step and seed determine."""

from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from tf_finetune.data.batch import Batch
from tf_finetune.data.pairs import PairDraws
from tf_finetune.data.splits import Split
from tf_finetune.data.states import PrefixStates
from tf_finetune.training.pipeline import BatchShape, as_dataset, global_batch


class PairSteps:
    """Every step has as many pairs as a batch has room for; see `objectives.Steps`.

    Args:
        split: The training examples.
        shape: How batches are cut and padded.
        seed: Draws the pairs.
    """

    def __init__(self, split: Split, shape: BatchShape, seed: int):
        self._split, self._shape, self._seed = split, shape, seed
        self._draws = PairDraws(split.labels, seed)
        self._weights = np.ones(len(split), np.float32)

    def dataset(
        self, first_step: int, last_step: int, states: PrefixStates | None
    ) -> tf.data.Dataset:
        """Global batches, the two texts of a pair beside each other."""

        def batches() -> Iterator[Batch]:
            for step in range(first_step, last_step):
                rows = self.examples(step)
                yield global_batch(
                    self._split, rows, self._weights, self._shape, step, self._seed, states
                )

        return as_dataset(batches, self._split, states)

    def examples(self, step: int) -> np.ndarray:
        """The texts of a step, int64."""
        return self._draws.of_step(step, max(1, self._shape.batch_size // 2))
