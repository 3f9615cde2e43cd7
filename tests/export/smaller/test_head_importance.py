"""Heads are ranked by what the loss would feel."""

import numpy as np
import pytest

from tf_finetune.export.smaller.cutting import write_cut
from tf_finetune.export.smaller.head_importance import head_importance, least_important
from tf_finetune.tasks.table import TASKS
from tf_finetune.training.pipeline import BatchShape

pytestmark = pytest.mark.numeric


def test_dead_head_is_worth_nothing(load, trained_files, tiny_splits, tmp_path):
    model = load(write_cut(trained_files, tmp_path, 2, {1: (2,)}))

    found = head_importance(model, tiny_splits.train, "single_label", BatchShape(8, max_length=32))

    assert found.shape == (2, 4)
    assert found[1, 2] == 0.0 and np.count_nonzero(found) == 7
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1.0)
    assert least_important(found, 1) == {1: (2,)}


def test_importance_is_the_mean_size_of_each_examples_derivative(
    load, trained_files, tiny_splits, monkeypatch
):
    """Held against differences, one example at a time."""
    import tensorflow as tf

    from tf_finetune.training.pipeline import evaluation_dataset

    model, few = load(trained_files), tiny_splits.train.select(np.arange(3))
    found = head_importance(model, few, "single_label", BatchShape(2, max_length=32))

    def losses(batch, factor):
        masks = [tf.ones([1, 4, 1, 1]) for _ in range(3)]
        masks[1] = masks[1] * tf.reshape(tf.constant(factor, tf.float32), [1, 4, 1, 1])
        logits = model.masked_logits(batch.inputs, masks)
        return float(TASKS["single_label"].losses(batch.targets[:, 0], logits)[0])

    sizes = np.zeros(4)
    for batch in evaluation_dataset(few, BatchShape(1, max_length=32)):
        for head in range(4):
            step = 0.01 * np.eye(4)[head]
            sizes[head] += abs(losses(batch, 1 + step) - losses(batch, 1 - step)) / 0.02
    np.testing.assert_allclose(found[1], sizes / np.linalg.norm(sizes), atol=0.01)


def test_least_important_heads_go_and_every_layer_keeps_its_best():
    importance = np.array([[0.1, 0.2, 0.9], [0.5, 0.6, 0.7]])

    assert least_important(importance, 0) == {}
    assert least_important(importance, 1) == {0: (0,)}
    assert least_important(importance, 3) == {0: (0, 1), 1: (0,)}
    assert least_important(importance, 4) == {0: (0, 1), 1: (0, 1)}
