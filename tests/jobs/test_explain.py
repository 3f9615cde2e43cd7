"""What is given of an explained text, with a model that is made up."""

from types import SimpleNamespace

import numpy as np
import pytest

from tf_finetune.evaluation.attributions import Explanation, Piece, Word
from tf_finetune.evaluation.explanation.precision import Precision
from tf_finetune.jobs.explain import explain
from tf_finetune.sources.records import Record
from tf_finetune.tasks.classes import Classes

RECORDS = [Record(1, "bad", None, None), Record(2, "good", "fine", None)]


class MadeUp:
    """Answers "pos" to "good" alone; every explanation is one word."""

    labels = Classes(("neg", "pos"))
    config = SimpleNamespace(evaluation=SimpleNamespace(batch_size=4))

    @property
    def explainer(self):
        return self

    def logits_of(self, records, batch_size):
        assert batch_size == 4
        return np.array([[0.0, 1.0 if r.text == "good" else -1.0] for r in records], np.float32)

    def explain(self, text, text_pair, output, precision):
        word = Word(text, 0, len(text), 1.0, (Piece(text, 1.0),))
        return Explanation(self.labels.names[output], 1.0, 0.0, 0.0, precision.steps, True, (word,))


def test_each_text_is_explained_for_its_own_answer():
    bad, good = explain(MadeUp(), RECORDS, None, Precision(8, 8))

    assert (bad.explanation.label, good.explanation.label) == ("neg", "pos")
    assert (bad.shown.texts, good.shown.texts) == (("bad",), ("good", "fine"))
    assert bad.shown.predicted == "neg"
    assert bad.shown.probability == bad.answer["probabilities"]["neg"]
    assert "text_pair" not in bad.to_dict() and good.to_dict()["text_pair"] == "fine"
    assert good.to_dict()["label"] == "pos"
    assert good.to_dict()["explanation"] == good.explanation.to_dict()


def test_a_label_that_is_asked_for_is_explained_whatever_is_answered():
    bad, good = explain(MadeUp(), RECORDS, 1, Precision(8, 8))

    assert (bad.explanation.label, good.explanation.label) == ("pos", "pos")
    assert bad.shown.predicted == "neg"
    assert bad.shown.probability == bad.answer["probabilities"]["pos"]


def test_texts_are_explained_one_after_the_other():
    asked = []
    model = MadeUp()
    model.explain = lambda *arguments: asked.append(arguments)

    found = explain(model, RECORDS, None, Precision(8, 8))
    assert asked == []
    next(found)
    assert len(asked) == 1
    with pytest.raises(StopIteration):
        next(found), next(found)
