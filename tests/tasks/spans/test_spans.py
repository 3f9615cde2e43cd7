"""Questions are answered, and scored, over all windows of their contexts."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from tf_finetune.encoders.tokenizers import whole_texts
from tf_finetune.errors import UserError
from tf_finetune.sources.records import Record
from tf_finetune.tasks.raw_labels import RawLabels
from tf_finetune.tasks.spans.span_rows import span_rows
from tf_finetune.tasks.spans.spans import Spans
from tf_finetune.tasks.table import TASKS, check_able

CONTEXT = "The old Bridge of Anna Li stood in Rome, not in Paris."
# Eleven tokens, as if words and the signs between them were pieces of a vocabulary.
PIECES = ("The", "old", "Bridge", "of", "Anna", "Li", "stood", "in", "Rome", ",", "not")


def offsets():
    found, at = [], 0
    for piece in PIECES:
        at = CONTEXT.index(piece, at)
        found.append((at, at + len(piece)))
    return found


def raw_labels(*rows):
    """Rows of answers, first and last token (or None), window, and the example."""
    columns = {"target": [], "spans": [], "text": [], "text_pair": []}
    for _, place, (begin, end), _ in rows:
        inside = offsets()[begin:end]
        start = inside[0][0]
        target = (0, 0) if place is None else (place[0] - begin + 1, place[1] - begin + 1)
        columns["target"].append([*target, begin])
        columns["spans"].append([edge - start for span in inside for edge in span])
        columns["text"].append("?")
        columns["text_pair"].append(CONTEXT[start : inside[-1][1]])
    made = pa.table(columns)
    answers = pa.chunked_array([pa.array([list(row[0]) for row in rows], pa.list_(pa.string()))])
    examples = np.array([row[3] for row in rows])
    return RawLabels("x.json", answers, np.arange(1, len(rows) + 1), examples, made)


def outputs(rows, *peaks):
    """Logits that are high at a first and a last token of each window, or of none."""
    found = np.full((len(rows), len(PIECES) + 1, 2), -3.0)
    for row, ((_, _, (begin, end), _), peak) in enumerate(zip(rows, peaks, strict=True)):
        first, last, height = peak
        found[row, 0 if first is None else first - begin + 1, 0] = height
        found[row, 0 if last is None else last - begin + 1, 1] = height
        found[row, end - begin + 1 :] = 0.0
    return found.reshape(len(rows), -1)


WHOLE = (0, 11)
ONE = (("Bridge of Anna", "old Bridge"), (2, 4), WHOLE, 0)
OTHER = (("Rome",), (8, 8), WHOLE, 1)


def test_scores_are_those_of_the_words():
    rows = (ONE, OTHER)
    labels = Spans()
    targets = labels.encode(raw_labels(*rows))
    # "Bridge of Anna Li" has 3 of 3 and 4 words: F1 6/7. "Rome," is "Rome" to SQuAD.
    found = labels.score(targets, outputs(rows, (2, 5, 4.0), (8, 9, 4.0)))
    assert found["token_f1"] == pytest.approx((6 / 7 + 1) / 2)
    assert found["exact_match"] == 0.5
    # Articles do not count, and the best of several gold answers does.
    found = labels.score(targets, outputs(rows, (0, 2, 4.0), (6, 6, 4.0)))
    assert (found["token_f1"], found["exact_match"]) == (0.5, 0.5)
    assert labels.example_count(targets) == 2


def test_an_example_is_answered_by_the_window_that_is_surest():
    windows = ((0, 7), (4, 11))
    rows = [(("Rome",), (8, 8) if w == windows[1] else None, w, 0) for w in windows]
    labels = Spans()
    targets = labels.encode(raw_labels(*rows))
    assert labels.example_count(targets) == 1
    right = outputs(rows, (1, 1, 2.0), (8, 8, 3.0))
    assert labels.score(targets, right)["exact_match"] == 1.0
    wrong = outputs(rows, (1, 1, 3.0), (8, 8, 2.0))
    assert labels.score(targets, wrong)["token_f1"] == 0.0
    # A window without the answer is trained to say so.
    assert labels.answer_targets(targets, 12)[:, 0].tolist() == [[0, 0, 8], [5, 5, 8]]
    # The loss of the example is the mean of its windows', whatever is not read.
    each = [labels.score(targets[[n]], right[[n]])["loss"] for n in (0, 1)]
    assert labels.score(targets, right)["loss"] == pytest.approx(np.mean(each))


def test_questions_may_lack_an_answer_where_training_questions_do():
    rows = (ONE, ((), None, WHOLE, 1))
    raw = raw_labels(*rows)
    labels = Spans()
    assert labels.fitted(labels.encode(raw_labels(ONE))) == labels
    labels = labels.fitted(labels.encode(raw))
    assert labels.threshold == 0.5
    targets = labels.encode(raw)
    none = outputs(rows, (2, 4, 4.0), (None, None, 4.0))
    assert labels.score(targets, none)["exact_match"] == 1.0
    # A question that has one is never left without by a model of questions that all have one.
    assert Spans().score(targets, outputs(rows, (None, None, 4.0), (1, 1, 4.0)))["token_f1"] == 0


def test_the_threshold_is_that_with_the_best_f1():
    rows = (ONE, OTHER, ((), None, WHOLE, 2))
    labels = Spans(no_answer_threshold=0.5)
    targets = labels.encode(raw_labels(*rows))
    logits = outputs(rows, (2, 4, 4.0), (8, 8, 4.0), (6, 6, 4.0))
    # No answer beats the best span by 1 in the first two, by 3 in the last.
    logits.reshape(3, -1, 2)[:, 0] = [[4.5, 4.5], [4.5, 4.5], [5.5, 5.5]]
    assert labels.score(targets, logits)["token_f1"] == pytest.approx(1 / 3)
    threshold = labels.chosen_threshold(targets, logits)
    assert threshold == pytest.approx(1 / (1 + np.exp(-2.0)))
    assert labels.decided_at(threshold).score(targets, logits)["token_f1"] == 1.0


@pytest.mark.parametrize("height", [4.0, 0.1, 12.0])
def test_a_threshold_that_answers_all_or_none_does_so(height):
    rows = ((), None, WHOLE, 0), ((), None, WHOLE, 1)
    labels = Spans(no_answer_threshold=0.5)
    logits = outputs(rows, (6, 6, height), (7, 7, height / 3))
    answered = (("stood",), (6, 6), WHOLE, 0), OTHER
    for asked, score in ((rows, 1.0), (answered, 0.5)):
        targets = labels.encode(raw_labels(*asked))
        threshold = labels.chosen_threshold(targets, logits)
        assert labels.decided_at(threshold).score(targets, logits)["token_f1"] == score


def test_only_questions_without_answers_need_a_threshold():
    assert Spans().decided_at(0.5) == Spans()
    with pytest.raises(UserError, match="where questions may have no answer"):
        Spans().decided_at(0.3)
    assert Spans(no_answer_threshold=0.5).decided_at(0.3).threshold == 0.3
    assert Spans.of_model(("start", "end"), 0.3) == Spans(no_answer_threshold=0.3)
    assert Spans.of_model(("start", "end"), None) == Spans()


def test_the_same_answer_for_all_is_none_where_most_windows_hold_none():
    rows = (ONE, ((), None, WHOLE, 1), ((), None, WHOLE, 2))
    labels = Spans(no_answer_threshold=0.5)
    targets = labels.encode(raw_labels(*rows))
    logits = labels.repeated(labels.constant_logits(targets), targets)
    assert labels.score(targets, logits)["exact_match"] == pytest.approx(2 / 3)
    other = labels.encode(raw_labels(ONE, OTHER))
    answers = [
        w.predicted
        for w in Spans().wrong_answers(
            other, labels.repeated(labels.constant_logits(other), other), records_of, 5
        )
    ]
    assert answers == [["The"], ["The"]]


def records_of(rows):
    return [Record(int(row) + 1, "?", CONTEXT, None) for row in rows]


def test_wrong_answers_are_told_surest_first():
    rows = (ONE, OTHER, (("Anna",), (4, 4), WHOLE, 2))
    labels = Spans()
    targets = labels.encode(raw_labels(*rows))
    logits = outputs(rows, (5, 5, 1.0), (8, 8, 4.0), (0, 2, 5.0))
    found = labels.wrong_answers(targets, logits, records_of, 5)
    assert [(one.row, one.label, one.predicted) for one in found] == [
        (2, ["Anna"], ["The old Bridge"]),
        (0, ["Bridge of Anna", "old Bridge"], ["Li"]),
    ]
    assert found[0].probability > found[1].probability > 0


def test_pseudo_examples_are_answered_as_they_are_called():
    windows = ((0, 7), (4, 11))
    rows = [(("Rome",), (8, 8) if w == windows[1] else None, w, 0) for w in windows]
    rows += [ONE, ((), None, (1, 11), 2)]
    for labels in (Spans(), Spans(no_answer_threshold=1 - 1e-9)):
        targets = labels.encode(raw_labels(*rows))
        logits = np.random.default_rng(0).normal(size=(4, 24))
        for kind, score in (("right", 1.0), ("wrong", 0.0)):
            goal, given = labels.pseudo_examples(targets, logits, kind, 0)
            assert given.shape == (len(goal), 24)
            assert labels.example_count(goal) == len(goal)
            found = labels.score(goal, given)
            assert (found["token_f1"], found["exact_match"]) == (score, score)


def test_answers_have_their_places_in_the_context(tiny_tokenizer):
    context = "good film " * 40 + "xyz"
    records = [Record(1, "the", context, None), Record(2, "the", "film", None)]
    rows = list(span_rows(records, whole_texts(tiny_tokenizer.backend_tokenizer), 40))
    assert len(rows) > 3
    width = max(len(row.reads) for row in rows)
    logits = np.zeros((len(rows), width, 2))
    for row, scores in zip(rows, logits, strict=True):
        scores[: len(row.reads)] = np.random.default_rng(row.words[0]).normal(size=2) - 5
    last = len(rows) - 2
    assert rows[last].example == 0
    at = next(n for n, (s, e) in enumerate(rows[last].spans) if context[s:e].startswith("x"))
    logits[last, at + 1, 0], logits[last, len(rows[last].reads) - 1, 1] = 9.0, 9.0
    labels = Spans()
    first, second = labels.row_answers(records, rows, logits.reshape(len(rows), -1), top_k=2)
    assert (first["answer"], first["start"], first["end"]) == ("xyz", 400, 403)
    assert first["probability"] > 0.9
    assert [len(one["answers"]) for one in (first, second)] == [2, 1]
    assert first["answers"][0] == {key: first[key] for key in ("start", "end")} | {
        "text": "xyz",
        "probability": first["probability"],
    }
    assert (second["answer"], second["start"], second["end"]) == ("film", 0, 4)
    assert second["probability"] == pytest.approx(1.0)
    assert "no_answer_probability" not in first
    labels.answer_body.model_validate(first)


def test_no_answer_is_null_with_its_probability(tiny_tokenizer):
    record = Record(1, "the", "good film", None)
    (row,) = span_rows([record], whole_texts(tiny_tokenizer.backend_tokenizer), 40)
    logits = np.array([[3.0, 3.0], [1.0, 1.0], [0.0, 0.0]])
    labels = Spans(no_answer_threshold=0.5)
    (answer,) = labels.row_answers([record], [row], logits.reshape(1, -1))
    assert (answer["answer"], answer["start"], answer["end"]) == (None, None, None)
    assert answer["probability"] == answer["no_answer_probability"]
    spans = np.exp([6.0, 2.0, 1.0, 0.0])
    assert answer["probability"] == pytest.approx(spans[0] / spans.sum(), abs=1e-6)
    assert [one["text"] for one in answer["answers"]] == ["good", "good film", "film"]
    labels.answer_body.model_validate(answer)
    surer = replace(labels, no_answer_threshold=0.99)
    assert next(surer.row_answers([record], [row], logits.reshape(1, -1)))["answer"] == "good"


def test_models_are_averaged_by_their_logits():
    logits = np.random.default_rng(0).normal(size=(3, 2, 8))
    assert Spans().averaged(logits) == pytest.approx(logits.mean(axis=0))


def test_what_cannot_be_done_is_refused_in_a_sentence():
    for what in Spans.unable:
        with pytest.raises(UserError, match="data.task: received span, whose models are not"):
            check_able("span", what)
        assert "relation" in TASKS
        check_able("relation", what)
