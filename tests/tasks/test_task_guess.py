import numpy as np
import pyarrow as pa
import pytest

from tf_finetune.options.data import DataConfig
from tf_finetune.tasks.raw_labels import RawLabels
from tf_finetune.tasks.task_guess import guess_task


def guess(labels, times=3, **options):
    labels = [str(label) for label in labels] * times
    raw = RawLabels("train.csv", pa.chunked_array([labels]), np.arange(len(labels)))
    return guess_task(DataConfig(**options), raw)


@pytest.mark.parametrize(
    ("labels", "task", "reason"),
    [
        (range(77), "single_label", "77 different whole numbers from 0 to 76 with few left out"),
        (range(1000, 1150), "single_label", "150 different whole numbers from 1000 to 1149"),
        (range(0, 60, 2), "single_label", "30 different whole numbers from 0 to 58"),
        (range(0, 90, 3), "regression", "30 different whole numbers from 0 to 87 with many left"),
        ((0, 4), "single_label", "2 different whole numbers from 0 to 4"),
        (range(0, 2000, 100), "single_label", "20 different whole numbers from 0 to 1900"),
        ((-1, 0, 1), "single_label", "3 different whole numbers from -1 to 1"),
        ("１２３", "single_label", "3 different whole numbers from 1 to 3"),
        (("1.0", "2.0", "1"), "single_label", "2 different whole numbers from 1 to 2"),
        (("1.0", "1.5"), "regression", "numbers and not all whole, such as 1.5"),
        (("3,5", "4,0"), "regression", "numbers and not all whole, such as 3,5"),
        (("10%", "37 %"), "regression", "numbers and not all whole, such as 10%"),
        (("0 %", "100 %", "37 %"), "regression", "numbers and not all whole, such as 37 %"),
        (("0 %", "100 %"), "regression", "numbers and not all whole, such as 0 %"),
        (("007", "12"), "single_label", "labels such as 007 are codes"),
        (("1.9", "1.10"), "single_label", "labels such as 1.10 are codes"),
        (("1.5", "2", "unknown"), "single_label", "not all labels are numbers: 'unknown' is not"),
    ],
)
def test_numbers_are_taken_for_classes_or_targets_and_the_reason_is_said(labels, task, reason):
    found = guess(labels)
    assert found.task == task
    assert found.reason.startswith(f"data.task is taken to be {task}, because ")
    assert reason in found.reason


def test_the_reason_names_the_option_that_changes_the_task():
    assert "; data.task=regression takes them for numbers" in guess((0, 1)).reason
    assert "; data.task=single_label makes a class of each" in guess((0.5, 1)).reason


def test_many_whole_numbers_that_hardly_repeat_are_targets():
    assert guess(range(77), times=2).task == "regression"
    # A few rare classes among many do not matter.
    assert guess([*list(range(77)) * 3, 77, 78], times=1).task == "single_label"
    # A quarter of them are no few.
    assert guess([*list(range(60)) * 3, *range(60, 80)], times=1).task == "regression"


def test_decimals_that_hardly_repeat_are_no_codes():
    assert guess(("1.9", "1.10"), times=1).task == "regression"


def test_names_need_no_reason():
    assert guess(("pos", "neg")).reason == ""
    assert guess(("None", "NA", "yes")).reason == ""
    assert guess(("1 star", "2 stars", "3")).reason == ""


def test_missing_labels_do_not_make_names_of_numbers():
    assert guess(("0", "1", "nan")).numbers
    assert guess(("0.5", "1", "None")).task == "regression"


def test_a_set_decimal_mark_decides_what_is_a_number():
    assert guess(("1,250", "3,125")).decimal_mark == "point"
    assert guess(("1,250", "3,125"), decimal_mark="comma").decimal_mark == "comma"
    assert not guess(("1.5", "2"), decimal_mark="comma").numbers
