"""Explanations of entities add up, wherever in a text these stand."""

from dataclasses import replace

import numpy as np
import pytest

from tf_finetune.data.batch import text_rows
from tf_finetune.evaluation.explanation.explained_mistakes import explain_mistakes
from tf_finetune.evaluation.explanation.explainer import Explainer
from tf_finetune.evaluation.explanation.precision import Precision
from tf_finetune.evaluation.report import EvaluationReport, Mistake
from tf_finetune.models.building import build
from tf_finetune.models.rounding import logit_rounding
from tf_finetune.models.weights import Pretrained
from tf_finetune.sources.records import Record
from tf_finetune.sources.words import words_of
from tf_finetune.tasks.tags.tags import Tags
from tf_finetune.tasks.wrong_answers import Part, WrongPart

pytestmark = pytest.mark.numeric

LABELS = Tags(("O", "B-thing", "I-thing"))
FINE = Precision(steps=64, most_steps=1024, tolerance=0.001)
TEXT = "was The Unwatchable film good, and was the plot never very dull but fine"


@pytest.fixture(scope="module")
def tagger(tiny_encoder, spec_for):
    model = build(
        spec_for(tiny_encoder, LABELS, freeze={"depth": 2}, encoder={"pooling": "words"}),
        Pretrained(),
    )
    head = next(v for v in model.variables if v.shape.as_list() == [32, 3])
    head.assign(np.random.default_rng(3).normal(size=head.shape).astype(np.float32))
    return model


@pytest.fixture(scope="module")
def explainer(tagger, tiny_tokenizer):
    return Explainer(tagger, tiny_tokenizer, LABELS, 12)


RECORD = Record(1, TEXT, None, None, words_of(TEXT))


def part(text, label="thing"):
    start = TEXT.index(text)
    return Part(start, start + len(text), label, text)


def logits_of(tagger, row):
    ids = np.array([row.ids], np.int32)
    reads = np.array([[max(0, read) for read in row.reads]], np.int32)
    return tagger(text_rows(ids, 0 * ids, np.ones_like(ids), reads), training=False).numpy()


def test_contributions_add_up_to_the_mean_logit_of_the_entity(explainer, tagger, tiny_tokenizer):
    found = explainer.explain_part(RECORD, part("Unwatchable film"), FINE)

    rows = list(LABELS.rows([RECORD], explainer._backend, 12))
    logits = logits_of(tagger, rows[0])
    rounding = logit_rounding(tagger, 12).max()
    assert len(rows) > 1
    assert found.output == pytest.approx((logits[2, 1] + logits[3, 2]) / 2, abs=rounding)
    accepted = 0.001 * sum(abs(word.attribution) for word in found.words) + rounding
    assert found.total == pytest.approx(found.output - found.baseline, abs=accepted)
    assert found.label == 'thing "Unwatchable film"' and found.converged
    assert TEXT[slice(*found.asked)] == "Unwatchable film"
    assert [word.text for word in found.words][:3] == ["was", "The", "Unwatchable"]
    assert [p.token for p in found.words[2].pieces] == ["un", "##watch", "##able"]


def test_an_entity_of_a_later_window_is_explained_by_its_words(explainer):
    found = explainer.explain_part(RECORD, part("fine"), Precision(1, 1))

    assert [TEXT[word.start : word.end] for word in found.words] == [w.text for w in found.words]
    assert found.words[-1].text == "fine" and found.words[0].start > 20


def test_what_was_missed_is_explained_by_the_words_being_outside(explainer, tagger):
    found = explainer.explain_part(RECORD, part("film", label=""), Precision(1, 1))

    rows = list(LABELS.rows([RECORD], explainer._backend, 12))
    rounding = logit_rounding(tagger, 12).max()
    assert found.output == pytest.approx(logits_of(tagger, rows[0])[3, 0], abs=rounding)
    assert found.label == 'no entity "film"'


def test_of_a_part_without_pieces_there_is_nothing_to_say(explainer):
    text = "good \u200b"
    record = Record(1, text, None, None, ((0, 4), (5, 6)))

    assert explainer.explain_part(record, Part(5, 6, "", "\u200b"), Precision(1, 1)) is None


def test_the_surest_wrong_part_of_a_mistake_is_explained(explainer):
    sure = WrongPart("invented", None, part("plot"), 0.9)
    other = WrongPart("missed", part("film"), None, 0.5)
    mistake = Mistake(4, 1, TEXT, None, [], [], 0.9, parts=(other, sure))
    missed = replace(mistake, parts=(other,))
    report = EvaluationReport(
        "test", LABELS.task, 3, 0.95, {}, {}, (), None, (mistake, missed, mistake)
    )
    asked = []

    def records(rows):
        asked.extend(rows.tolist())
        return [RECORD for _ in rows]

    found = explain_mistakes(explainer, {"test": report}, {"test": records}, 2)["test"].mistakes

    labels = [one.explanation and one.explanation.label for one in found]
    assert labels == ['thing "plot"', 'no entity "film"', None]
    assert asked == [4, 4]
