"""Weights of examples from weights of classes."""

import numpy as np
import pytest

from tf_finetune.errors import UserError
from tf_finetune.tasks.classes import Classes
from tf_finetune.tasks.values import Values

LABELS = Classes(("neg", "pos", "never"))
TARGETS = np.array([0, 0, 0, 1])


def test_none_weighs_all_alike():
    np.testing.assert_array_equal(LABELS.example_weights("none", TARGETS), [1, 1, 1, 1])


def test_balanced_is_inverse_frequency_and_ignores_classes_without_examples():
    # 4 examples / (3 classes x 3) and 4 / (3 x 1).
    np.testing.assert_allclose(
        LABELS.example_weights("balanced", TARGETS), [4 / 9, 4 / 9, 4 / 9, 4 / 3]
    )


def test_mapping_weighs_what_it_names():
    weights = LABELS.example_weights({"pos": 2.5}, TARGETS)

    np.testing.assert_array_equal(weights, [1, 1, 1, 2.5])
    assert weights.dtype == np.float32


def test_unknown_class_is_named():
    with pytest.raises(UserError, match="received good, ok; accepted: .*: neg, pos, never"):
        LABELS.example_weights({"ok": 1.0, "pos": 1.0, "good": 2.0}, TARGETS)


def test_task_without_single_classes_has_no_class_weights():
    with pytest.raises(UserError, match="received 'balanced' for a regression task"):
        Values().example_weights("balanced", np.ones(3, np.float32))
