"""Each example is answered by a head that has not seen it."""

from types import SimpleNamespace

import numpy as np
import pytest

from tf_finetune.options.training import TrainingConfig
from tf_finetune.tasks.classes import Classes
from tf_finetune.training import head_choice, out_of_fold_heads
from tf_finetune.training.out_of_fold_heads import out_of_fold_logits

LABELS = Classes(("neg", "pos"))
COUNT = 60


class SomeSplit:
    """Vectors that hold the label, but for one example that is labelled wrongly."""

    def __init__(self):
        rng = np.random.default_rng(0)
        self.labels = (np.arange(COUNT) % 2).astype(np.int32)
        self.vectors = rng.standard_normal((COUNT, 3)).astype(np.float32) * 0.1
        self.vectors[:, 0] += 2.0 * self.labels - 1.0
        self.labels[7] = 0
        self.is_read = np.ones((COUNT, 1), bool)
        self.store = SimpleNamespace(text_hashes=np.arange(COUNT))
        self.rows = np.arange(COUNT)

    def __len__(self):
        return COUNT


@pytest.fixture
def found(monkeypatch):
    split = SomeSplit()
    monkeypatch.setattr(out_of_fold_heads, "split_vectors", lambda *arguments: split.vectors)
    family = SimpleNamespace(head_has_bias=True)
    model = SimpleNamespace(classifier=SimpleNamespace(files=SimpleNamespace(family=family)))

    def answers():
        return out_of_fold_logits(model, split, LABELS, TrainingConfig(), None)

    return answers


def test_a_wrong_label_is_not_believed_by_the_head_that_answers_it(found):
    logits = found()

    assert logits.shape == (COUNT, 2)
    assert (logits.argmax(axis=1) == np.arange(COUNT) % 2).all()


def test_examples_are_answered_whichever_of_them_a_penalty_was_chosen_on(found, monkeypatch):
    # As of many examples: the penalty is chosen on some of them.
    monkeypatch.setattr(head_choice, "_ENOUGH_ANSWERS", 20)

    logits = found()

    assert (logits.argmax(axis=1) == np.arange(COUNT) % 2).all()
