import json
import math

import numpy as np
import pytest

from tf_finetune.errors import UserError
from tf_finetune.evaluation.report import ClassScore, Mistake, build_evaluation_report
from tf_finetune.options.evaluation import EvaluationConfig
from tf_finetune.sources.records import Record
from tf_finetune.tasks.classes import Classes
from tf_finetune.tasks.several_classes import SeveralClasses
from tf_finetune.tasks.tags.tags import Tags
from tf_finetune.tasks.values import Values

THREE = Classes(("bad", "fair", "good"))
TAGS = SeveralClasses(("red", "green", "blue"))
NUMBER = Values()
QUICK = EvaluationConfig(bootstrap_resamples=100)


def records_of(indices):
    return [Record(1, f"text {i}", "pair" if i == 3 else None, None) for i in indices]


def build(labels, targets, logits, evaluation=QUICK, **optional):
    logits = np.asarray(logits, np.float32)
    rows = np.arange(len(logits)) + 2
    return build_evaluation_report(
        labels, "test", targets, logits, records_of, rows, evaluation, **optional
    )


def log(*chances):
    return np.log(np.array(chances))


def test_a_single_label_report_holds_what_was_worked_out_by_hand():
    # "good" is never predicted.
    report = build(
        THREE,
        np.array([0, 0, 1, 2], np.int32),
        log([0.8, 0.1, 0.1], [0.3, 0.6, 0.1], [0.2, 0.7, 0.1], [0.9, 0.05, 0.05]),
    )
    assert (report.split, report.task, report.n, report.confidence) == (
        "test",
        "single_label",
        4,
        0.95,
    )
    assert report.metrics["accuracy"]["value"] == 0.5
    assert report.confusion == ((1, 1, 0), (0, 1, 0), (1, 0, 0))
    assert report.per_class == (
        ClassScore("bad", precision=0.5, recall=0.5, f1=0.5, support=2),
        ClassScore("fair", precision=0.5, recall=1.0, f1=pytest.approx(2 / 3), support=1),
        ClassScore("good", precision=0.0, recall=0.0, f1=0.0, support=1),
    )
    assert report.baselines == {}
    assert report.mistakes == (
        Mistake(3, 5, "text 3", "pair", "good", "bad", pytest.approx(0.9), output=0),
        Mistake(1, 3, "text 1", None, "bad", "fair", pytest.approx(0.6), output=1),
    )


def test_a_multi_label_report_names_the_surest_wrong_decision():
    report = build(
        TAGS,
        np.array([[1, 1, 0], [0, 0, 0], [0, 0, 1]], np.float32),
        log([0.9, 0.2, 0.1], [0.1, 0.1, 0.1], [0.6, 0.7, 0.9])
        - log([0.1, 0.8, 0.9], [0.9] * 3, [0.4, 0.3, 0.1]),
    )
    assert report.confusion is None
    assert report.per_class == (
        ClassScore("red", precision=0.5, recall=1.0, f1=pytest.approx(2 / 3), support=1),
        ClassScore("green", precision=0.0, recall=0.0, f1=0.0, support=1),
        ClassScore("blue", precision=1.0, recall=1.0, f1=1.0, support=1),
    )
    assert report.mistakes == (
        Mistake(0, 2, "text 0", None, ["red", "green"], ["red"], pytest.approx(0.8), output=1),
        Mistake(
            2, 4, "text 2", None, ["blue"], ["red", "green", "blue"], pytest.approx(0.7), output=1
        ),
    )


def test_a_regression_report_names_the_largest_errors():
    report = build(NUMBER, np.array([1.0, 2.0, 3.0], np.float32), [[1.5], [2.0], [1.0]])
    assert report.confusion is None
    assert report.per_class == ()
    assert report.mistakes == (
        Mistake(2, 4, "text 2", None, 3.0, 1.0, None),
        Mistake(0, 2, "text 0", None, 1.0, 1.5, None),
    )


def test_the_majority_class_is_the_one_of_the_training_examples():
    report = build(
        THREE,
        np.array([0, 0, 0, 1], np.int32),
        np.eye(3)[[0, 0, 0, 1]],
        train_targets=np.array([1, 1, 0], np.int32),
    )
    baseline = report.baselines["majority_class"]
    assert baseline["accuracy"] == 0.25
    assert baseline["mcc"] == 0.0
    # Its probabilities are (1 + 1) / 6, (2 + 1) / 6 and (0 + 1) / 6.
    assert baseline["loss"] == pytest.approx(-(3 * math.log(2 / 6) + math.log(3 / 6)) / 4)


def test_the_majority_of_several_labels_are_those_of_over_half_the_training_examples():
    targets = np.array([[1, 0, 0], [1, 1, 0]], np.float32)
    train_targets = np.array([[1, 1, 0], [1, 0, 0]], np.float32)
    report = build(TAGS, targets, 2 * targets - 1, train_targets=train_targets)
    assert report.baselines["majority_class"]["accuracy"] == 0.5
    assert report.baselines["majority_class"]["micro_f1"] == pytest.approx(4 / 5)


def test_the_baseline_of_a_regression_is_the_training_mean():
    targets = np.array([1.0, 2.0], np.float32)
    report = build(NUMBER, targets, targets[:, None], train_targets=np.array([3.0, 5.0]))
    assert report.baselines == {
        "training_mean": {"pearson": 0.0, "spearman": 0.0, "mse": 6.5, "mae": 2.5, "loss": 6.5}
    }


def test_the_model_before_fine_tuning_is_a_baseline():
    targets = np.array([0, 1], np.int32)
    report = build(THREE, targets, np.eye(3)[[0, 1]], logits_before=np.eye(3)[[0, 2]])
    assert list(report.baselines) == ["before_fine_tuning"]
    assert report.baselines["before_fine_tuning"]["accuracy"] == 0.5


def test_baselines_can_be_switched_off():
    targets = np.array([0, 1], np.int32)
    evaluation = EvaluationConfig(bootstrap_resamples=100, baselines=False)
    logits = np.eye(3)[[0, 2]]
    report = build(THREE, targets, logits, evaluation, train_targets=targets, logits_before=logits)
    assert report.baselines == {}


@pytest.mark.parametrize("limit", [0, 1, 5])
def test_no_more_mistakes_are_kept_than_asked_for(limit):
    evaluation = EvaluationConfig(bootstrap_resamples=100, mistakes=limit)
    report = build(NUMBER, np.zeros(3), [[0.0], [2.0], [1.0]], evaluation)
    assert [mistake.index for mistake in report.mistakes] == [1, 2][:limit]


def test_one_example_makes_a_report():
    report = build(THREE, np.array([2], np.int32), np.eye(3)[[2]])
    assert report.metrics["accuracy"] == pytest.approx({"value": 1.0, "low": 0.025, "high": 1.0})
    assert report.confusion == ((0, 0, 0), (0, 0, 0), (0, 0, 1))


def test_outputs_that_are_not_finite_are_the_users_to_mend():
    with pytest.raises(
        UserError, match="test: the model's outputs are NaN or infinite for 2 of 3 examples\nThe "
    ):
        build(NUMBER, np.zeros(3), [[np.nan], [1.0], [np.inf]])


@pytest.mark.parametrize("labels", [THREE, TAGS, NUMBER])
def test_a_report_as_a_dictionary_survives_json(labels):
    targets = {
        "single_label": np.array([0, 1], np.int32),
        "multi_label": np.eye(3, dtype=np.float32)[:2],
        "regression": np.array([0.5, 1.0], np.float32),
    }[labels.task]
    logits = np.full((2, labels.num_outputs), 0.5)
    values = build(labels, targets, logits, train_targets=targets).to_dict()
    assert values["n"] == 2
    assert values["mistakes"][0]["text"].startswith("text ")
    assert json.loads(json.dumps(values))["metrics"] == values["metrics"]


def test_a_regression_report_holds_points_spread_over_the_split():
    targets = np.arange(4500, dtype=np.float32)
    report = build(NUMBER, targets, targets[:, None] + 0.5)
    assert len(report.points) == 1500
    assert report.points[:2] == ((0.0, 0.5), (3.0, 3.5))
    assert build(THREE, np.array([0, 1], np.int32), np.zeros((2, 3))).points is None


def test_a_report_on_tags_shows_wrong_entities_in_their_text():
    labels = Tags(("O", "B-city", "I-city"))
    text = "see New York now"
    words = tuple(
        (found, found + len(word)) for word in text.split() for found in [text.find(word)]
    )
    given = log([0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.7, 0.2, 0.1], [0.9, 0.05, 0.05])

    report = build_evaluation_report(
        labels,
        "test",
        np.array([[0, 1, 2, 0, 0]], np.int32),
        given.reshape(1, -1),
        lambda rows: [Record(1, text, None, None, words) for _ in rows],
        np.array([9]),
        QUICK,
    )

    (mistake,) = report.mistakes
    assert (mistake.row, mistake.text) == (9, text)
    assert (mistake.label, mistake.predicted) == (['city "New York"'], ['city "New"'])
    (part,) = report.to_dict()["mistakes"][0]["parts"]
    assert part == {
        "verdict": "wrong_border",
        "gold": {"start": 4, "end": 12, "label": "city", "text": "New York"},
        "given": {"start": 4, "end": 7, "label": "city", "text": "New"},
        "probability": pytest.approx(0.8),
    }
