from types import SimpleNamespace

import numpy as np
import pytest

from tf_finetune.searches.answer.chance import chance_notes
from tf_finetune.tasks.classes import Classes
from tf_finetune.tasks.values import Values

CLASSES = Classes(("neg", "pos"))


def notes(low, high, metric="accuracy", higher=True, labels=CLASSES, targets=(1, 1, 1, 0)):
    """Of a search on validation examples, three in four of which are of the commonest class."""
    kind = np.int32 if labels is CLASSES else np.float32
    examples = SimpleNamespace(labels=np.array(targets, kind))
    splits = SimpleNamespace(labels=labels, train=examples, validation=examples, folds=None)
    chosen = SimpleNamespace(low=low, high=high)
    found = SimpleNamespace(recommended=chosen, metric=metric, higher_is_better=higher)
    return chance_notes(splits, found)


def test_a_score_that_may_be_that_of_the_commonest_class_is_told():
    assert notes(0.7, 0.9) == [
        "The recommended model is not shown to be better than always answering the commonest "
        "class, whatever the text (accuracy 0.750)."
    ]
    assert notes(0.76, 0.9) == []


@pytest.mark.parametrize(("high", "told"), [(0.9, 1), (0.5, 0)])
def test_a_loss_has_to_stay_below(high, told):
    # The log frequencies of 1 and 3, one more each: 2/6 and 4/6; the loss is 0.579.
    assert len(notes(0.1, high, metric="loss", higher=False)) == told


def test_a_correlation_with_a_constant_is_nothing():
    numbers = Values()
    told = notes(-0.1, 0.9, "spearman", labels=numbers, targets=(1.0, 2.0, 4.0))
    assert told[0].endswith("the mean of the training targets, whatever the text (spearman 0.000).")
    assert notes(0.1, 0.9, "spearman", labels=numbers, targets=(1.0, 2.0, 4.0)) == []
