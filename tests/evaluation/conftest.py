from dataclasses import replace

import numpy as np
import pytest

from tf_finetune.tasks.classes import Classes
from tf_finetune.tasks.spans.span_layout import span_line, span_targets
from tf_finetune.tasks.table import TASKS

TAGS = ("O", "B-a", "I-a", "B-b", "I-b")
WORDS = 6


def _tagged(labels, n, rng):
    """Texts of six words each, half of which are entities of one word."""
    tags = rng.choice([0, 0, 1, 3], size=(n, WORDS))
    targets = np.append(tags, np.zeros((n, 1), int), axis=1).astype(np.int32)
    logits = rng.normal(size=(n, WORDS, len(TAGS))) + 2 * np.eye(len(TAGS))[tags]
    return labels, targets, logits.reshape(n, -1)


def _asked(labels, n, rng):
    """Questions about a text of six words, one in four of which has no answer."""
    text = " ".join(f"word{place}" for place in range(WORDS))
    spans = np.array([(6 * place, 6 * place + 5) for place in range(WORDS)])
    # A start of 0 is that there is no answer.
    starts = np.where(rng.random(n) < 0.25, 0, rng.integers(1, WORDS + 1, size=n))
    targets = span_targets(
        span_line(
            (start, start, 0),
            spans,
            text,
            [f"word{start - 1}"] if start else [],
            goes_on=False,
        )
        for start in starts.tolist()
    )
    logits = rng.normal(size=(n, WORDS + 1, 2))
    logits[np.arange(n), starts] += 2
    return replace(labels, no_answer_threshold=0.5), targets, logits.reshape(n, -1)


@pytest.fixture(scope="session")
def outputs():
    """Makes a label space with targets and the outputs of an imperfect model."""

    def make(task, n, num_classes=4):
        rng = np.random.default_rng(n)
        if task == "token_classification":
            return _tagged(TASKS[task](TAGS), n, rng)
        if task == "span":
            return _asked(TASKS[task](), n, rng)
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
