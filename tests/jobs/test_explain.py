"""What is given of an explained text, with a model that is made up."""

from types import SimpleNamespace

import numpy as np
import pytest

from tf_finetune.errors import UserError
from tf_finetune.evaluation.attributions import Explanation, Piece, Word
from tf_finetune.evaluation.explanation.precision import Precision
from tf_finetune.jobs.explain import explain
from tf_finetune.sources.records import Record
from tf_finetune.tasks.choices import Choices
from tf_finetune.tasks.classes import Classes
from tf_finetune.tasks.questions import Asked
from tf_finetune.tasks.spans.spans import Spans
from tf_finetune.tasks.tags.tags import Tags
from tf_finetune.tasks.task_rows import TaskRow

RECORDS = [Record(1, "bad", None, None), Record(2, "good", "fine", None)]


class MadeUp:
    """Answers "pos" to "good" alone; every explanation is one word."""

    labels = Classes(("neg", "pos"))
    config = SimpleNamespace(evaluation=SimpleNamespace(batch_size=4))

    @property
    def explainer(self):
        return self

    def rows_of(self, records):
        return []

    def logits_of(self, records, batch_size, rows):
        assert batch_size == 4 and rows == []
        return np.array([[0.0, 1.0 if r.text == "good" else -1.0] for r in records], np.float32)

    def explain(self, record, output, precision):
        text = record.text
        word = Word(text, 0, len(text), 1.0, (Piece(text, 1.0),))
        return Explanation(self.labels.names[output], 1.0, 0.0, 0.0, precision.steps, True, (word,))


def test_each_text_is_explained_for_its_own_answer():
    bad, good = explain(MadeUp(), RECORDS, Asked(), Precision(8, 8))

    assert (bad.explanation.label, good.explanation.label) == ("neg", "pos")
    assert (bad.shown.texts, good.shown.texts) == (("bad",), ("good", "fine"))
    assert bad.shown.predicted == "neg"
    assert bad.shown.probability == bad.answer["probabilities"]["neg"]
    assert "text_pair" not in bad.to_dict() and good.to_dict()["text_pair"] == "fine"
    assert good.to_dict()["label"] == "pos"
    assert good.to_dict()["explanation"] == good.explanation.to_dict()


def test_a_label_that_is_asked_for_is_explained_whatever_is_answered():
    bad, good = explain(MadeUp(), RECORDS, Asked("pos"), Precision(8, 8))

    assert (bad.explanation.label, good.explanation.label) == ("pos", "pos")
    assert bad.shown.predicted == "neg"
    assert bad.shown.probability == bad.answer["probabilities"]["pos"]


class Chooser(MadeUp):
    """Takes the longest choice."""

    labels = Choices(("0", "1"))

    def rows_of(self, records):
        return [TaskRow(n, (), (), (0, 0), 0, len(one.text)) for n, one in enumerate(records)]

    def logits_of(self, records, batch_size, rows):
        assert len(rows) == len(records)
        return np.array([[len(text) for text in one.choices] for one in records], np.float32)


def test_a_choice_is_explained_beside_the_texts_of_all():
    record = Record(1, "why", "so", None, choices=("no", "yes"))

    (one,) = explain(Chooser(), [record], Asked(), Precision(8, 8))
    ((other),) = explain(Chooser(), [record], Asked("0"), Precision(8, 8))

    assert one.explanation.label == "1" and other.explanation.label == "0"
    assert one.shown.texts == ("why", "so", "no", "yes")
    assert one.shown.predicted == other.shown.predicted == "yes"
    assert one.shown.probability == one.answer["probabilities"]["1"]
    assert one.to_dict()["choices"] == ("no", "yes") and one.to_dict()["choice"] == 1


class Finder(MadeUp):
    """Takes every word with a capital for a city, and some for surer ones than others."""

    labels = Tags(("O", "B-city", "I-city", "B-name", "I-name"))

    def rows_of(self, records):
        return [
            TaskRow(number, (), (), (0, len(one.spans)), 0, len(one.text))
            for number, one in enumerate(records)
        ]

    def logits_of(self, records, batch_size, rows):
        logits = np.zeros((len(records), 3, 5), np.float32)
        for of_row, one in zip(logits, records, strict=True):
            for word, (start, end) in enumerate(one.spans):
                found = one.text[start:end]
                of_row[word, 3 if found == "Ann" else int(found.istitle())] = len(found)
        return logits.reshape(len(records), -1)

    def explain_part(self, record, part, precision):
        word = Word(part.text, part.start, part.end, 1.0, (Piece(part.text, 1.0),))
        return Explanation(part.words, 1.0, 0.0, 0.0, precision.steps, True, (word,))


def tagged(text):
    places, at = [], 0
    for word in text.split():
        places.append((at, at + len(word)))
        at += len(word) + 1
    return Record(1, text, None, None, tuple(places))


def explained(*texts, label=None, entity=None):
    asked = Asked(label, entity)
    found = explain(Finder(), [tagged(one) for one in texts], asked, Precision(8, 8))
    return [(one.explanation.label, one) for one in found]


def test_the_likeliest_entity_is_explained_unless_another_is_asked_for():
    (first, one), (second, _) = explained("Rome or Bologna", "see Ann")

    assert (first, second) == ('city "Bologna"', 'name "Ann"')
    assert one.shown.predicted == ['city "Rome"', 'city "Bologna"']
    assert one.shown.probability == one.answer["entities"][1]["probability"]
    assert one.to_dict()["explained"] == one.answer["entities"][1]
    assert explained("Rome or Bologna", entity=1)[0][0] == 'city "Rome"'
    assert explained("Ann saw Rome", label="name")[0][0] == 'name "Ann"'
    assert explained("Ann saw Rome", label="city", entity=1)[0][0] == 'city "Rome"'
    with pytest.raises(UserError, match="--entity: received 2, but in row 1, 'Ann saw Rome', 1 en"):
        explained("Ann saw Rome", label="city", entity=2)


def test_where_no_entity_is_found_the_word_that_comes_nearest_is_explained():
    ((said, one),) = explained("nothing is here", label="name")

    # The shorter a word, the less sure of being outside.
    assert said == 'name "is"'
    assert one.shown.predicted == [] and 0 < one.shown.probability < 0.5


class Reader(MadeUp):
    """Answers with the one word that has a capital; reads nothing else."""

    labels = Spans()

    def rows_of(self, records):
        return [
            TaskRow(number, (), (0, 1, 2), (0, 2), 0, 9, spans=((0, 4), (5, 9)))
            for number, one in enumerate(records)
        ]

    def logits_of(self, records, batch_size, rows):
        by_read = np.zeros((len(records), 3, 2), np.float32)
        for of_row, one in zip(by_read, records, strict=True):
            of_row[1:] = [[4.0 * one.text_pair[start].isupper()] * 2 for start in (0, 5)]
        return by_read.reshape(len(records), -1)

    def explain_part(self, record, part, precision):
        if "?" not in record.text:
            return None
        return Finder.explain_part(self, record, part, precision)


def test_the_answer_to_a_question_is_explained_unless_another_is_asked_for():
    record = Record(1, "where?", "near Rome", None)
    (given,) = explain(Reader(), [record], Asked(), Precision(8, 8))
    (other,) = explain(Reader(), [record], Asked(text="near"), Precision(8, 8))

    assert given.shown.texts == ("where?", "near Rome")
    assert given.shown.predicted == other.shown.predicted == "Rome"
    assert given.explanation.label == 'answer "Rome"'
    assert given.shown.probability == given.answer["probability"]
    assert other.explanation.label == 'answer "near"' and other.shown.probability < 0.01
    assert other.to_dict()["explained"]["text"] == "near" and other.to_dict()["answer"] == "Rome"


def test_a_part_of_which_nothing_is_read_is_refused_in_words():
    with pytest.raises(UserError, match="row 1: of 'where' and 'near Rome' the model reads noth"):
        list(explain(Reader(), [Record(1, "where", "near Rome", None)], Asked(), Precision(8, 8)))


def test_texts_are_explained_one_after_the_other():
    asked = []
    model = MadeUp()
    model.explain = lambda *arguments: asked.append(arguments)

    found = explain(model, RECORDS, Asked(), Precision(8, 8))
    assert asked == []
    next(found)
    assert len(asked) == 1
    with pytest.raises(StopIteration):
        next(found), next(found)
