"""The loss of a changed model is measured in pairs, on the same examples."""

import io

import numpy as np
import pytest
from rich.console import Console

from tf_finetune.config.sections import EvaluationConfig
from tf_finetune.data import LabelSpace
from tf_finetune.errors import UserError
from tf_finetune.export.litert_table import FileRow, FileTable, render_files
from tf_finetune.export.quality_loss import QualityLoss, quality_loss

LABELS = LabelSpace("single_label", ("no", "yes"))
EVALUATION = EvaluationConfig(bootstrap_resamples=2000, confidence=0.9)


def logits_for(classes):
    return np.eye(2, dtype=np.float32)[classes]


def test_equal_models_lose_nothing_for_sure():
    targets = np.array([0, 1, 1, 0, 1])
    logits = logits_for([0, 1, 0, 0, 1])

    found = quality_loss(LABELS, targets, logits, logits.copy(), EVALUATION)

    assert (found.loss, found.low, found.high) == (0.0, 0.0, 0.0)
    assert (found.original, found.same_answers, found.largest_difference) == (0.8, 1.0, 0.0)


def test_interval_is_that_of_the_pairs_that_differ():
    """4 of 100 examples get lost: the count is binomial, 90 % of it from 1 to 7."""
    targets = np.zeros(100, np.int32)
    original = logits_for(np.repeat([0, 1], [80, 20]))
    changed = logits_for(np.repeat([1, 0, 1], [4, 76, 20]))

    found = quality_loss(LABELS, targets, original, changed, EVALUATION)

    assert (found.original, found.value) == (0.8, 0.76)
    assert found.loss == pytest.approx(0.04)
    assert found.low == pytest.approx(0.01, abs=0.005)
    assert found.high == pytest.approx(0.07, abs=0.011)
    assert (found.same_answers, found.largest_difference) == (0.96, 1.0)


def test_gain_is_a_negative_loss():
    targets = np.array([0, 0])

    found = quality_loss(LABELS, targets, logits_for([0, 1]), logits_for([0, 0]), EVALUATION)

    assert found.loss == -0.5


def test_numbers_are_compared_by_their_headline_score():
    targets = np.arange(6.0)
    reversed_end = np.array([[0.0], [1.0], [2.0], [3.0], [5.0], [4.0]])

    found = quality_loss(
        LabelSpace("regression"), targets, targets[:, None], reversed_end, EVALUATION
    )

    assert (found.metric, found.same_answers) == ("spearman", None)
    assert found.loss == pytest.approx(6 * 2 / (6 * 35))  # 6 sum d^2 / (n (n^2 - 1))


def table_of(**losses):
    rows = tuple(
        FileRow(
            name,
            "int8",
            1,
            QualityLoss("accuracy", 0.9, 0.9 - loss, loss, loss - 0.01, loss, 1.0, 0.0),
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


def test_every_file_over_the_bound_is_named():
    message = (
        r"a loses 0\.0200 accuracy \(0\.0100 to 0\.0200\) on the test split; accepted: at most "
        r"0\.01\n(.*\n)*.*c loses 0\.5000(.*\n)*Nothing was written"
    )
    with pytest.raises(UserError, match=message):
        table_of(a=0.02, b=0.0, c=0.5).check(0.01)
