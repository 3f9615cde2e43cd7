"""Explanations of answers to questions add up, by the words of the question and of a window."""

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
from tf_finetune.tasks.spans.spans import Spans
from tf_finetune.tasks.wrong_answers import Part

pytestmark = pytest.mark.numeric

LABELS = Spans(no_answer_threshold=0.5)
FINE = Precision(steps=64, most_steps=1024, tolerance=0.001)
QUESTION = "was the film good?"
CONTEXT = "the Unwatchable film was bad, and the plot was never very dull but fine"
RECORD = Record(1, QUESTION, CONTEXT, None)
LENGTH = 16


@pytest.fixture(scope="module")
def model(tiny_encoder, spec_for):
    spec = spec_for(tiny_encoder, LABELS, freeze={"depth": 2}, encoder={"pooling": "second_text"})
    made = build(spec, Pretrained())
    head = next(v for v in made.variables if v.shape.as_list() == [32, 2])
    head.assign(np.random.default_rng(3).normal(size=head.shape).astype(np.float32))
    return made


@pytest.fixture(scope="module")
def explainer(model, tiny_tokenizer):
    return Explainer(model, tiny_tokenizer, LABELS, LENGTH)


def part(text):
    start = CONTEXT.index(text)
    return Part(start, start + len(text), "answer", text)


def by_position(model, row):
    """Starts and ends of all tokens of a row, by the model's own forward pass."""
    ids, types = (np.array([one], np.int32) for one in (row.ids, row.types))
    reads = np.arange(len(row.ids), dtype=np.int32)[None]
    return model(text_rows(ids, types, np.ones_like(ids), reads), training=False).numpy()


def test_contributions_add_up_to_the_mean_of_the_start_and_the_end(explainer, model):
    found = explainer.explain_part(RECORD, part("Unwatchable film"), FINE)

    rows = explainer._rows(RECORD)
    assert len(rows) > 1
    logits = by_position(model, rows[0])
    pieces = [token for word in (*found.words, *found.pair_words) for token in word.pieces]
    first = rows[0].reads[1]
    rounding = logit_rounding(model, LENGTH).max()
    # "the" before it; "un", "##watch", "##able", "film" are its pieces.
    expected = (logits[first + 1, 0] + logits[first + 4, 1]) / 2
    assert found.output == pytest.approx(expected, abs=rounding)
    accepted = 0.001 * sum(abs(piece.attribution) for piece in pieces) + rounding
    assert found.total == pytest.approx(found.output - found.baseline, abs=accepted)
    assert found.label == 'answer "Unwatchable film"' and found.converged
    assert found.asked_of_pair and CONTEXT[slice(*found.asked)] == "Unwatchable film"
    assert [word.text for word in found.words] == ["was", "the", "film", "good", "?"]
    assert [word.text for word in found.pair_words][:3] == ["the", "Unwatchable", "film"]
    assert [p.token for p in found.pair_words[1].pieces] == ["un", "##watch", "##able"]


def test_an_answer_in_a_later_window_is_explained_by_its_words(explainer):
    found = explainer.explain_part(RECORD, part("fine"), Precision(1, 1))

    places = [CONTEXT[word.start : word.end] for word in found.pair_words]
    assert places == [word.text for word in found.pair_words]
    assert places[-1] == "fine" and found.pair_words[0].start > 20
    assert [word.text for word in found.words] == ["was", "the", "film", "good", "?"]


def test_no_answer_is_explained_by_the_first_token_of_the_window_that_decides(explainer, model):
    found = explainer.explain_part(RECORD, Part(0, 0, "no answer", ""), Precision(1, 1))

    least = min(by_position(model, row)[0].mean() for row in explainer._rows(RECORD))
    rounding = logit_rounding(model, LENGTH).max()
    assert found.output == pytest.approx(least, abs=rounding)
    assert found.label == "no answer" and found.asked is None


def test_the_given_answer_of_a_mistake_is_explained(explainer):
    mistake = Mistake(4, 1, QUESTION, CONTEXT, ["plot"], ["film"], 0.9)
    report = EvaluationReport("test", LABELS.task, 3, 0.95, {}, {}, (), None, (mistake,))

    def records(rows):
        return [RECORD for _ in rows]

    found = explain_mistakes(explainer, {"test": report}, {"test": records}, 1)["test"].mistakes

    (why,) = (one.explanation for one in found)
    rows = explainer._rows(RECORD)
    width = max(len(row.reads) for row in rows)
    logits = np.zeros((len(rows), width, 2), np.float32)
    for to, row in zip(logits, rows, strict=True):
        to[: len(row.reads)] = explainer._logits_of(row)
    (said,) = LABELS.row_answers([RECORD], rows, logits.reshape(len(rows), -1))
    expected = "no answer" if said["answer"] is None else f'answer "{said["answer"]}"'
    assert why.label == expected
