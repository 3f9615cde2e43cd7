import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tf_finetune.results.trial import Cell, Predictions, TrialResult, exact_rate

COMPLETED = TrialResult(
    cell=Cell(4, 3e-4, (("training.batch_size", 16),)),
    seed=1,
    status="completed",
    score=0.875,
    metrics={"accuracy": 0.875, "loss": 0.31},
    trainable_parameters=3_550_000,
    seconds_per_epoch=18.5,
    examples_per_second=374.0,
    train_seconds=56.0,
    peak_memory_bytes=1_200_000_000,
    step_flops=2.5e11,
    epochs=3,
)


def test_a_key_names_the_whole_cell():
    cell = Cell(4, 3e-4, (("training.weight_decay", 0.1), ("training.batch_size", 16)))
    assert cell.key == (
        "depth=4 learning_rate=3e-4 training.batch_size=16 training.weight_decay=0.1"
    )


def test_equal_cells_are_one_cell_however_they_are_written():
    one = Cell(np.int64(4), 3e-4, (("b", [1, [2]]), ("a", "x")))
    other = Cell(4, np.float64(0.0003), (("a", "x"), ("b", (1, (2,)))))
    assert one == other
    assert len({one, other}) == 1
    assert one.key == "depth=4 learning_rate=3e-4 a=x b=[1, [2]]"


@pytest.mark.parametrize(
    "rate, text",
    [
        (3e-4, "3e-4"),
        (5e-05, "5e-5"),
        (2.5e-5, "2.5e-5"),
        (1e-3, "1e-3"),
        (0.01, "0.01"),
        (1.0, "1"),
        (10.0, "10"),
        (0.00034718293847, "3.4718293847e-4"),
    ],
)
def test_learning_rates_read_as_people_write_them(rate, text):
    assert exact_rate(rate) == text


@given(st.floats(1e-12, 10.0))
def test_no_two_learning_rates_read_alike(rate):
    assert float(exact_rate(rate)) == rate


def test_a_result_survives_json():
    again = TrialResult.from_dict(json.loads(json.dumps(COMPLETED.to_dict(), allow_nan=False)))
    assert again == COMPLETED
    assert again.cell.key == COMPLETED.cell.key


def test_a_failed_result_survives_json():
    failed = TrialResult(Cell(0, 1e-3), 2, "failed", reason="out of memory")
    again = TrialResult.from_dict(json.loads(json.dumps(failed.to_dict(), allow_nan=False)))
    assert again == failed


def test_a_score_that_is_not_a_number_survives_json():
    value = COMPLETED.to_dict() | {"score": math.nan, "metrics": {"accuracy": math.inf}}
    result = TrialResult.from_dict(value)
    again = TrialResult.from_dict(json.loads(json.dumps(result.to_dict(), allow_nan=False)))
    assert math.isnan(again.score)
    assert math.isnan(again.metrics["accuracy"])


def test_a_completed_trial_needs_its_numbers():
    with pytest.raises(ValueError, match="completed trial lacks trainable_parameters, seconds_"):
        TrialResult(Cell(0, 1e-3), 0, "completed", score=0.5)


def test_a_failed_trial_needs_its_reason():
    with pytest.raises(ValueError, match="failed trial lacks reason"):
        TrialResult(Cell(0, 1e-3), 0, "failed")


def test_a_trial_is_completed_or_failed():
    with pytest.raises(ValueError, match="received 'running'"):
        TrialResult(Cell(0, 1e-3), 0, "running")


@pytest.mark.parametrize(
    "change, message",
    [
        ({"cell": None}, "not a cell: None"),
        ({"cell": {"frozen_depth": 1}}, "not a cell"),
        ({"colour": "red"}, "colour"),
        ({"metrics": [1]}, "not a trial"),
    ],
)
def test_a_damaged_result_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        TrialResult.from_dict(COMPLETED.to_dict() | change)


def test_predictions_can_be_loaded_late():
    predictions = Predictions(np.zeros(3, np.int32), np.zeros((3, 2)))
    value = COMPLETED.to_dict()
    assert TrialResult.from_dict(value, lambda: predictions).load_predictions() is predictions
    assert TrialResult.from_dict(value, predictions).load_predictions() is predictions
    with pytest.raises(ValueError, match="depth=4 .* seed=1 has no predictions"):
        TrialResult.from_dict(value).load_predictions()
