"""Parts of the training examples: nested, in the proportions of all."""

import numpy as np

from tf_finetune.searches.learning_curve.parts import part_of, part_sizes
from tf_finetune.tasks.classes import Classes

LABELS = Classes(("a", "b", "c"))


class Rows:
    """As much of a split as is drawn from."""

    def __init__(self, labels, rows=None):
        self.labels = np.asarray(labels)
        self.rows = np.arange(len(self.labels)) if rows is None else rows

    def __len__(self):
        return len(self.labels)

    def select(self, indices):
        return Rows(self.labels[indices], self.rows[indices])


TRAIN = Rows([0] * 120 + [1] * 60 + [2] * 20)


def test_sizes_are_halves_down_to_what_a_class_needs():
    assert part_sizes(TRAIN, LABELS) == (25, 50, 100, 200)
    assert part_sizes(Rows([0, 1] * 1000), LABELS) == (125, 250, 500, 1000, 2000)
    assert part_sizes(Rows([0, 1, 2] * 5), LABELS) == (15,)


def test_a_part_holds_the_smaller_ones_of_its_draw():
    parts = [set(part_of(TRAIN, LABELS, size, 1).rows) for size in (25, 50, 100, 200)]
    assert [len(part) for part in parts] == [25, 50, 100, 200]
    for smaller, larger in zip(parts, parts[1:], strict=False):
        assert smaller < larger


def test_classes_keep_their_shares_and_draws_differ():
    part = part_of(TRAIN, LABELS, 50, 0)
    assert np.bincount(part.labels).tolist() == [30, 15, 5]
    assert set(part.rows) != set(part_of(TRAIN, LABELS, 50, 1).rows)
