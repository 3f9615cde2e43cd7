import pytest

from tf_finetune.reports.page import numbers


@pytest.mark.parametrize(
    "form, value, expected",
    [
        (numbers.score, 0.8834, "0.883"),
        (numbers.score, 1234.5678, "1,234.6"),
        (numbers.score, float("nan"), "–"),
        (numbers.rate, 3e-4, "3e-4"),
        (numbers.rate, 1.6667e-5, "1.67e-5"),
        (numbers.rate, 0.05, "0.05"),
        (numbers.rate, 1.0, "1"),
        (numbers.count, 22_713_986, "22.7 M"),
        (numbers.count, 770, "770"),
        (numbers.count, 9_999, "9,999"),
        (numbers.count, 999_999_999, "1 G"),
        (numbers.seconds, 0.314, "0.31 s"),
        (numbers.seconds, 28.4, "28 s"),
        (numbers.seconds, 200.0, "3 min 20 s"),
        (numbers.seconds, 7500.0, "2 h 05 min"),
        (numbers.seconds, 3599.7, "1 h 00 min"),
        (numbers.memory, 1_610_612_736, "1.5 GiB"),
        (numbers.memory, 486_539_264, "464 MiB"),
        (numbers.memory, 1_073_000_000, "1,023 MiB"),
        (numbers.memory, 12, "12 B"),
        (numbers.p_value, 0.0004, "< 0.001"),
        (numbers.p_value, 0.0123, "0.012"),
        (numbers.p_value, 1.0, "1.00"),
        (numbers.percent, 0.123, "12.3 %"),
        (numbers.multiple, 0.2891, "0.29×"),
        (numbers.plain_seconds, 1203.4, "1,203"),
    ],
)
def test_a_number_is_written_for_people(form, value, expected):
    assert form(value) == expected


@pytest.mark.parametrize(
    "form",
    [numbers.score, numbers.count, numbers.seconds, numbers.memory, numbers.p_value],
)
def test_what_was_not_measured_is_a_dash(form):
    assert form(None) == "–"
