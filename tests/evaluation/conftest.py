import numpy as np
import pytest

from tf_finetune.tasks.classes import Classes
from tf_finetune.tasks.table import TASKS


@pytest.fixture(scope="session")
def outputs():
    """Makes a label space with targets and the outputs of an imperfect model."""

    def make(task, n, num_classes=4):
        rng = np.random.default_rng(n)
        noise = rng.normal(size=(n, 1 if task == "regression" else num_classes))
        if task == "regression":
            targets = rng.normal(size=n).round(1)  # rounded, so that there are ties
            return TASKS[task](), targets.astype(np.float32), targets[:, None] + noise
        names = tuple(f"class {index}" for index in range(num_classes))
        if issubclass(TASKS[task], Classes):
            targets = rng.integers(num_classes, size=n).astype(np.int32)
            return TASKS[task](names), targets, noise + np.eye(num_classes)[targets]
        multi_hot = (rng.random((n, num_classes)) < 0.3).astype(np.float32)
        return TASKS[task](names), multi_hot, noise + 2 * multi_hot - 1

    return make
