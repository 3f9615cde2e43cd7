"""The loss of a changed model is measured in pairs, on the same examples."""

import io

import numpy as np
import pytest
from rich.console import Console

from tf_finetune.errors import UserError
from tf_finetune.export.litert_table import FileRow, FileTable, render_files
from tf_finetune.export.quality_loss import QualityLoss, quality_loss
from tf_finetune.options.evaluation import EvaluationConfig
from tf_finetune.tasks.classes import Classes
from tf_finetune.tasks.several_classes import SeveralClasses
from tf_finetune.tasks.values import Values

LABELS = Classes(("no", "yes"))
EVALUATION = EvaluationConfig(bootstrap_resamples=2000, confidence=0.9)


def logits_for(classes):
    return np.eye(2, dtype=np.float32)[classes]


@pytest.mark.parametrize("n", [5, 30])
def test_models_that_answer_alike_may_differ_on_a_text_that_nobody_saw(n):
    targets = np.arange(n, dtype=np.int32) % 2
    logits = logits_for(targets)
    logits[0] = logits[0, ::-1]

    found = quality_loss(LABELS, targets, logits, logits.copy(), EVALUATION)

    # 90 %: a share of 0 in n is at most 1 - 0.05^(1 / n).
    bound = 1 - 0.05 ** (1 / n)
    assert found.loss == 0.0
    assert (found.low, found.high) == pytest.approx((-bound, bound), abs=0.004)
    assert found.same_answers == 1.0
    assert found.same_interval == pytest.approx((1 - bound, 1.0))
    assert (found.original, found.largest_difference) == (1 - 1 / n, 0.0)


def test_interval_is_that_of_the_pairs_that_differ():
    """4 of 100 examples get lost: a share of 4 in 100 is at most 0.089, by Clopper and Pearson."""
    targets = np.zeros(100, np.int32)
    original = logits_for(np.repeat([0, 1], [80, 20]))
    changed = logits_for(np.repeat([1, 0, 1], [4, 76, 20]))

    found = quality_loss(LABELS, targets, original, changed, EVALUATION)

    assert (found.original, found.value) == (0.8, 0.76)
    assert found.loss == pytest.approx(0.04)
    # One that is gained instead counts for the lower end: 4 shares of 101 less another one.
    shares = np.random.default_rng(0).dirichlet(np.ones(101), 20_000)
    expected_low = np.quantile(shares[:, :4].sum(axis=1) - shares[:, 4], 0.05)
    assert found.low == pytest.approx(expected_low, abs=0.004)
    assert found.high == pytest.approx(0.089, abs=0.004)
    assert (found.same_answers, found.largest_difference) == (0.96, 1.0)
    assert found.same_interval == pytest.approx((0.911, 0.986), abs=0.001)


def test_gain_is_a_negative_loss():
    targets = np.array([0, 0])

    found = quality_loss(LABELS, targets, logits_for([0, 1]), logits_for([0, 0]), EVALUATION)

    assert found.loss == -0.5


def test_numbers_are_compared_by_their_headline_score():
    targets = np.arange(6.0)
    reversed_end = np.array([[0.0], [1.0], [2.0], [3.0], [5.0], [4.0]])

    found = quality_loss(Values(), targets, targets[:, None], reversed_end, EVALUATION)

    assert (found.metric, found.same_answers) == ("spearman", None)
    assert found.loss == pytest.approx(6 * 2 / (6 * 35))  # 6 sum d^2 / (n (n^2 - 1))


def table_of(**losses):
    rows = tuple(
        FileRow(
            name,
            "int8",
            1,
            QualityLoss(
                "accuracy", 0.9, 0.9 - loss, loss, loss - 0.01, loss, 1.0, (0.963, 1.0), 0.0
            ),
            1.0,
        )
        for name, loss in losses.items()
    )
    return FileTable("test", 100, 0.95, 20, rows)


def test_files_within_the_bound_pass():
    table_of(a=0.0, b=-0.1, c=0.01, d=0.81 - 0.8).check(0.01)


def test_table_fits_80_columns():
    output = io.StringIO()

    render_files(Console(file=output, width=80), table_of(a=0.0123, b=-0.5))

    lines = output.getvalue().splitlines()
    assert sum("int8" in line for line in lines) == 2
    assert any("0.0023 to 0.0123" in line and "100.00%" in line and "1.0" in line for line in lines)
    assert sum("96.3 to 100%" in line for line in lines) == 2


def test_every_file_over_the_bound_is_named():
    message = (
        r"a loses 0\.0200 accuracy \(0\.0100 to 0\.0200\) on the test split; accepted: at most "
        r"0\.01\n(.*\n)*.*c loses 0\.5000(.*\n)*Nothing was written"
    )
    with pytest.raises(UserError, match=message):
        table_of(a=0.02, b=0.0, c=0.5).check(0.01)


def test_each_model_decides_at_its_own_threshold():
    """Both have their first label at 0.4 and no other: only below that it is the answer."""
    labels = SeveralClasses(("a", "b"))
    targets = np.tile(np.array([[1, 0]], np.float32), (4, 1))
    logits = np.tile(np.log([[0.4 / 0.6, 0.1 / 0.9]]), (4, 1))

    found = quality_loss(
        labels, targets, logits, logits, EVALUATION, changed_labels=labels.decided_at(0.3)
    )

    assert (found.original, found.value, found.same_answers) == (0.0, 1.0, 0.0)
    assert found.low == found.loss == -1.0 < found.high
