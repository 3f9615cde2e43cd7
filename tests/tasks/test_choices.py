"""Choices are classes of an example whose rows the model scores one by one."""

import math

import numpy as np
import pyarrow as pa
import pytest

from tf_finetune.errors import UserError
from tf_finetune.sources.records import Record
from tf_finetune.tasks.choice_probe import ChoiceProbe
from tf_finetune.tasks.choices import Choice, Choices
from tf_finetune.tasks.metrics import METRICS
from tf_finetune.tasks.raw_labels import RawLabels

FOUR = Choices(("0", "1", "2", "3"))
LOGITS = np.log(np.array([[1, 1, 6, 2], [5, 2, 2, 1], [1, 1, 1, 7]], np.float32))


def raw(labels):
    return RawLabels("x.csv", pa.chunked_array([pa.array(labels)]), np.arange(2, 2 + len(labels)))


def test_the_model_has_one_output_and_an_example_a_logit_for_each_choice():
    assert (FOUR.num_outputs, FOUR.num_logits) == (1, 4)
    assert FOUR.target_shape(FOUR.num_outputs) == ((), "int32")
    assert FOUR.constant_logits(np.array([0, 3, 3])).tolist() == np.log([2, 1, 1, 3]).tolist()


def test_labels_are_numbers_of_choices():
    targets = FOUR.encode(raw(["3", "0", "1.0"]))

    assert (targets.tolist(), targets.dtype) == ([3, 0, 1], np.int32)
    with pytest.raises(UserError, match="row 3.*'4'.*accepted: the number of a choice, 0 to 3"):
        FOUR.encode(raw(["0", "4"]))


def test_scores_are_those_worked_out_by_hand():
    found = FOUR.score(np.array([2, 1, 3], np.int32), LOGITS)

    assert found == pytest.approx(
        {"accuracy": 2 / 3, "loss": -(math.log(0.6) + math.log(0.2) + math.log(0.7)) / 3}
    )
    assert tuple(found) == FOUR.metrics
    assert set(found) <= set(METRICS)
    assert FOUR.monitor("auto") == ("accuracy", True)
    assert FOUR.scored(np.array([2, 1, 3]), LOGITS).shares == {"accuracy"}


def test_weights_that_are_whole_numbers_are_copies_of_examples():
    targets = np.array([2, 1, 3], np.int32)
    copies = [0, 0, 1]
    weighted = FOUR.scored(targets, LOGITS).scores(np.array([[2.0, 1.0, 0.0]]))

    assert {name: one[0] for name, one in weighted.items()} == pytest.approx(
        FOUR.score(targets[copies], LOGITS[copies])
    )


def test_an_answer_has_its_number_and_probabilities_and_its_text_where_there_is_one():
    plain = list(FOUR.answers(LOGITS))
    texts = [[f"text {row}.{choice}" for choice in range(4)] for row in range(3)]
    told = list(FOUR.answers(LOGITS, top_k=1, texts=texts))

    assert [answer["choice"] for answer in plain] == [2, 0, 3]
    assert plain[0]["probabilities"] == pytest.approx({"0": 0.1, "1": 0.1, "2": 0.6, "3": 0.2})
    assert "choice_text" not in plain[0]
    assert told[1] == {"choice": 0, "probabilities": {"0": 0.5}, "choice_text": "text 1.0"}
    assert FOUR.answer_fields(told[1], ";") == (0, 0.5)
    for answer in plain + told:
        Choice.model_validate(answer)
    with pytest.raises(ValueError, match="argument 2 is shorter"):
        list(FOUR.answers(LOGITS, texts=texts[:2]))


def test_places_are_no_classes():
    targets = np.zeros(3, np.int32)

    assert FOUR.same_in_all(targets) is None
    assert FOUR.sole_classes(targets) is None
    assert FOUR.confusion(targets, targets) is None
    assert FOUR.class_counts(targets).tolist() == [3, 0, 0, 0]
    with pytest.raises(UserError, match="class_weights: received 'balanced' for a multiple_choice"):
        FOUR.example_weights("balanced", targets)
    np.testing.assert_array_equal(FOUR.example_weights("none", targets), np.ones(3, np.float32))


def test_mistakes_are_answers_given_wrongly():
    wrong = FOUR.wrongness(np.array([2, 1, 3], np.int32), LOGITS)

    np.testing.assert_allclose(wrong, [[0] * 4, [0.5, 0, 0, 0], [0] * 4], rtol=1e-6)
    assert FOUR.watched(LOGITS)["label"] == ["2", "0", "3"]


@pytest.mark.parametrize("kind", ["right", "wrong"])
def test_pseudo_examples_are_answered_rightly_or_wrongly(kind):
    targets, logits = FOUR.pseudo_examples(np.array([2, 1, 3], np.int32), LOGITS, kind, 0)

    assert logits.shape == (3, 4)
    assert ((FOUR.predicted(logits) == targets) == (kind == "right")).all()


def test_a_graph_gives_the_likeliest_choice():
    outputs = FOUR.graph_outputs(LOGITS)

    assert outputs["choice"].numpy().tolist() == [2, 0, 3]
    np.testing.assert_allclose(outputs["probabilities"], FOUR.probabilities(LOGITS), rtol=1e-6)


def states(n, rng):
    """States of four choices of which the right one points along a direction, and targets."""
    found = rng.normal(size=(n, 4, 6))
    targets = rng.integers(4, size=n)
    found[np.arange(n), targets] += np.array([1.5, 0, -1, 0, 0, 0.5])
    return found.reshape(n, -1), targets


def test_a_probe_learns_one_direction_for_choices_at_all_places():
    rng = np.random.default_rng(0)
    features, targets = states(300, rng)
    asked, right = states(300, rng)

    logits = FOUR.probe_logits(FOUR.probe().fit(features, targets), asked)

    assert logits.shape == (300, 4)
    assert FOUR.score(right, logits)["accuracy"] > 0.6
    # Choices in another order are scored alike.
    turned = asked.reshape(300, 4, 6)[:, ::-1].reshape(300, -1)
    probe = FOUR.probe().fit(features, targets)
    np.testing.assert_allclose(probe.decision_function(turned), logits[:, ::-1])


def test_of_two_choices_the_probe_is_a_logistic_regression_of_their_difference():
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng(1)
    features = rng.normal(size=(200, 2, 3))
    targets = (features[:, 1, 0] - features[:, 0, 0] + rng.normal(size=200) > 0).astype(int)
    difference = features[:, 1] - features[:, 0]

    found = ChoiceProbe(2, 0.5).fit(features.reshape(200, -1), targets)
    logits = found.decision_function(features.reshape(200, -1))

    expected = LogisticRegression(C=0.5, fit_intercept=False, tol=1e-8).fit(difference, targets)
    np.testing.assert_allclose(
        logits[:, 1] - logits[:, 0], expected.decision_function(difference), atol=1e-3
    )


def test_a_wrong_answer_is_told_with_the_texts_of_both_choices():
    records = [Record(5 + n, "a", None, None, choices=("p", "q", "r", "s")) for n in range(3)]

    found = FOUR.wrong_answers(
        np.array([2, 1, 3], np.int32), LOGITS, lambda rows: [records[row] for row in rows], 9
    )

    assert [(one.label, one.predicted, one.row) for one in found] == [("1: q", "0: p", 1)]
