import math

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics as sklearn_metrics

from tf_finetune.errors import UserError
from tf_finetune.tasks.classes import Classes
from tf_finetune.tasks.metrics import METRICS
from tf_finetune.tasks.several_classes import SeveralClasses
from tf_finetune.tasks.values import Values

THREE = Classes(("bad", "fair", "good"))
TAGS = SeveralClasses(("red", "green", "blue"))
NUMBER = Values()


def votes(classes, num_classes=3):
    """Logits whose prediction is these classes."""
    return 5.0 * np.eye(num_classes, dtype=np.float32)[classes]


def test_single_label_scores_are_those_worked_out_by_hand():
    # Rows true, columns predicted: [[2, 1, 0], [0, 1, 1], [0, 0, 1]].
    targets = np.array([0, 0, 0, 1, 1, 2], np.int32)
    scores = THREE.score(targets, votes([0, 0, 1, 1, 2, 2]))
    right, wrong = -math.log(math.e**5 / (math.e**5 + 2)), math.log(math.e**5 + 2)
    assert scores == pytest.approx(
        {
            "accuracy": 4 / 6,
            "macro_f1": (4 / 5 + 2 / 4 + 2 / 3) / 3,
            "micro_f1": 4 / 6,
            "mcc": (6 * 4 - (3 * 2 + 2 * 2 + 1 * 2)) / math.sqrt((36 - 12) * (36 - 14)),
            "loss": (4 * right + 2 * wrong) / 6,
        }
    )
    assert tuple(scores) == THREE.metrics


def test_multi_label_scores_are_those_worked_out_by_hand():
    targets = np.array([[1, 1, 0], [0, 1, 0], [0, 0, 0], [1, 0, 1]], np.float32)
    logits = np.array([[2, 2, -2], [2, 2, -2], [-2, -2, -2], [2, -2, -2]], np.float32)
    # True positives 2, 2, 0; false positives 1, 0, 0; false negatives 0, 0, 1.
    right, wrong = math.log1p(math.exp(-2)), math.log1p(math.exp(2))
    scores = TAGS.score(targets, logits)
    assert scores == pytest.approx(
        {
            "micro_f1": 8 / 10,
            "macro_f1": (4 / 5 + 1 + 0) / 3,
            "accuracy": 2 / 4,
            "loss": (10 * right + 2 * wrong) / 12,
        }
    )
    assert tuple(scores) == TAGS.metrics


def test_regression_scores_are_those_worked_out_by_hand():
    targets = np.array([1.0, 2.0, 3.0], np.float32)
    scores = NUMBER.score(targets, np.array([[1.0], [3.0], [2.0]], np.float32))
    assert scores == pytest.approx(
        {"pearson": 0.5, "spearman": 0.5, "mse": 2 / 3, "mae": 2 / 3, "loss": 2 / 3}
    )
    assert tuple(scores) == NUMBER.metrics


def test_scores_agree_with_scikit_learn_and_scipy():
    rng = np.random.default_rng(0)
    targets = rng.integers(3, size=200).astype(np.int32)
    logits = rng.normal(size=(200, 3)) + np.eye(3)[targets]
    scores = THREE.score(targets, logits)
    guess = logits.argmax(axis=1)
    assert scores["macro_f1"] == pytest.approx(
        sklearn_metrics.f1_score(targets, guess, average="macro")
    )
    assert scores["mcc"] == pytest.approx(sklearn_metrics.matthews_corrcoef(targets, guess))
    assert scores["loss"] == pytest.approx(
        sklearn_metrics.log_loss(targets, THREE.probabilities(logits))
    )

    numbers = rng.normal(size=200).round(1)
    scores = NUMBER.score(numbers, numbers + logits[:, :1].ravel())
    assert scores["pearson"] == pytest.approx(
        stats.pearsonr(numbers, numbers + logits[:, 0]).statistic
    )
    assert scores["spearman"] == pytest.approx(
        stats.spearmanr(numbers, numbers + logits[:, 0]).statistic
    )


def test_a_class_without_predictions_counts_as_zero_in_macro_f1():
    scores = THREE.score(np.array([0, 1, 2], np.int32), votes([0, 1, 1]))
    assert scores["macro_f1"] == pytest.approx((1 + 2 / 3 + 0) / 3)


@pytest.mark.parametrize("labels", [THREE, TAGS])
def test_a_class_that_never_occurs_is_left_out_of_macro_f1(labels):
    targets = np.array([0, 1, 1], np.int32)
    logits = votes([0, 1, 0]) - 1.0
    if labels is TAGS:
        targets = np.eye(3, dtype=np.float32)[targets]
    assert labels.score(targets, logits)["macro_f1"] == pytest.approx(2 / 3)


def test_one_of_one_possible_labels_is_scored():
    one = SeveralClasses(("spam",))
    targets = np.array([[1], [1], [0], [0]], np.float32)
    scores = one.score(targets, np.array([[1.0], [-1.0], [1.0], [-1.0]]))
    assert (scores["micro_f1"], scores["macro_f1"], scores["accuracy"]) == (0.5, 0.5, 0.5)


def test_f1_is_zero_when_no_label_is_true_or_predicted():
    scores = TAGS.score(np.zeros((2, 3), np.float32), np.full((2, 3), -1.0))
    assert (scores["micro_f1"], scores["macro_f1"], scores["accuracy"]) == (0.0, 0.0, 1.0)


@pytest.mark.parametrize("targets", [[0, 1, 2], [1, 1, 1]])
def test_mcc_of_constant_predictions_is_zero(targets):
    assert THREE.score(np.array(targets, np.int32), votes([1, 1, 1]))["mcc"] == 0.0


@pytest.mark.parametrize("targets", [[1.0, 2.0, 3.0], [0.1, 0.1, 0.1]])
def test_a_correlation_with_a_constant_is_zero(targets):
    scores = NUMBER.score(np.array(targets, np.float32), np.full((3, 1), 0.1, np.float32))
    assert (scores["pearson"], scores["spearman"]) == (0.0, 0.0)


def test_a_single_example_can_be_scored():
    assert THREE.score(np.array([2], np.int32), votes([2]))["accuracy"] == 1.0
    assert TAGS.score(np.ones((1, 3), np.float32), np.ones((1, 3)))["micro_f1"] == 1.0
    assert NUMBER.score(np.array([2.0]), np.array([[5.0]])) == {
        "pearson": 0.0,
        "spearman": 0.0,
        "mse": 9.0,
        "mae": 3.0,
        "loss": 9.0,
    }


def test_huge_logits_have_a_finite_loss():
    assert THREE.score(np.array([0], np.int32), np.array([[0.0, 1e4, 0.0]]))["loss"] == 1e4
    assert TAGS.score(np.zeros((1, 3)), np.full((1, 3), 1e4))["loss"] == 1e4


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_model_that_diverged_has_no_score(value):
    scores = THREE.score(np.array([0], np.int32), np.array([[value, 0.0, 0.0]]))
    assert tuple(scores) == THREE.metrics
    assert all(math.isnan(number) for number in scores.values())


def test_scoring_nothing_is_refused():
    with pytest.raises(ValueError, match="0 targets and 0 outputs"):
        NUMBER.score(np.zeros(0), np.zeros((0, 1)))
    with pytest.raises(ValueError, match="2 targets and 3 outputs"):
        NUMBER.score(np.zeros(2), np.zeros((3, 1)))


def test_probabilities_follow_the_task():
    logits = np.log(np.array([[1.0, 1.0, 2.0]], np.float32))
    assert THREE.probabilities(logits) == pytest.approx(np.array([[0.25, 0.25, 0.5]]))
    assert TAGS.probabilities(logits) == pytest.approx(np.array([[0.5, 0.5, 2 / 3]]))
    with pytest.raises(ValueError, match="regression model has no probabilities"):
        NUMBER.probabilities(logits)


def test_predictions_look_like_encoded_labels():
    logits = np.array([[0.0, 3.0, 1.0], [-1.0, -2.0, -3.0]])
    for labels, expected in (
        (THREE, np.array([1, 0], np.int32)),
        (TAGS, np.array([[0, 1, 1], [0, 0, 0]], np.float32)),
    ):
        prediction = labels.predicted(logits)
        np.testing.assert_array_equal(prediction, expected)
        assert prediction.dtype == expected.dtype
    np.testing.assert_array_equal(NUMBER.predicted(logits[:, :1]), [0.0, -1.0])


@pytest.mark.parametrize(
    ("labels", "name"), [(THREE, "accuracy"), (TAGS, "micro_f1"), (NUMBER, "spearman")]
)
def test_the_automatic_monitor_is_the_headline_metric(labels, name):
    assert labels.headline == name
    assert labels.monitor("auto") == (name, True)
    assert labels.monitor("loss") == ("loss", False)


def test_of_every_score_it_is_known_which_way_is_better():
    right, wrong = np.array([1.0, 2.0, 4.0]), np.array([2.5, 1.0, 0.0])
    for labels, good, bad, targets in (
        (NUMBER, right, wrong, right),
        (THREE, votes([0, 1, 2]), votes([0, 2, 1]), np.array([0, 1, 2])),
        (TAGS, votes([0, 1, 2]) - 1, votes([1, 1, 0]) - 1, np.eye(3)),
    ):
        better, worse = (labels.score(targets, logits) for logits in (good, bad))
        for name in labels.metrics:
            assert (better[name] > worse[name]) == (not METRICS[name].lower_is_better), name
            assert better[name] != worse[name], name


def test_a_monitor_of_another_task_is_refused_with_what_is_accepted():
    with pytest.raises(
        UserError,
        match="training.monitor: received 'mcc', which a regression task does not have; "
        "accepted: auto, pearson, spearman, loss$",
    ):
        NUMBER.monitor("mcc")
