import pytest

from tf_finetune.sources.numbers import (
    as_flag,
    as_integer,
    as_number,
    canonical,
    decimal_mark_of,
    is_missing,
    numbered_like_sections,
    padded_number,
)


@pytest.mark.parametrize(
    ("label", "number"),
    [
        ("3", 3.0),
        (" -1.50 ", -1.5),
        ("+2e-3", 0.002),
        (".5", 0.5),
        ("1,234.5", 1234.5),
        ("1'234'567", 1234567.0),
        ("1\u202f234", 1234.0),
        ("37%", 0.37),
        ("2.5 %", 0.025),
        ("３．５", 3.5),
        ("٣٫٥", 3.5),
        ("१२", 12.0),
        ("−4", -4.0),
        ("007", 7.0),
        ("-inf", float("-inf")),
    ],
)
def test_numbers_are_read_however_they_are_written(label, number):
    assert as_number(label) == number


@pytest.mark.parametrize(
    "label", ["", "-", ".", "1_0", "3,5", "1,23", "0,125", "²", "①", "½", "nan"]
)
def test_what_is_no_number_with_a_decimal_point_is_none(label):
    assert as_number(label) is None


@pytest.mark.parametrize(
    ("label", "number"), [("3,5", 3.5), ("1.234,5", 1234.5), ("1,234", 1.234), ("1.234", 1234.0)]
)
def test_the_comma_can_be_the_decimal_mark(label, number):
    assert as_number(label, "comma") == number


def test_a_decimal_point_is_none_where_the_comma_is_the_mark():
    assert as_number("3.5", "comma") is None


@pytest.mark.parametrize(
    ("labels", "mark"),
    [
        (["3.5", "4"], "point"),
        (["1,234", "5"], "point"),
        (["3,5", "1,234"], "comma"),
        (["3,5", "1.5"], None),
        (["3,5", "yes"], None),
    ],
)
def test_one_mark_holds_for_all_labels(labels, mark):
    assert decimal_mark_of(labels) == mark


@pytest.mark.parametrize(
    ("label", "integer"),
    [("3", 3), ("3.0", 3), ("-0", 0), ("1,234", 1234), ("３", 3), ("3.5", None), ("1e3", None)]
    + [("007", None), ("5%", None), ("9" * 21, 10**21 - 1), ("9" * 5000, None)],
)
def test_integers_are_whole_numbers_that_are_no_codes(label, integer):
    assert as_integer(label) == integer


@pytest.mark.parametrize(
    ("label", "plain"),
    [("3.0", "3"), ("٣", "3"), ("1.10", "1.10"), ("007", "007"), ("50 %", "50%"), ("a1", "a1")],
)
def test_the_plainest_form_keeps_what_may_make_a_code(label, plain):
    assert canonical(label) == plain


def test_a_comma_becomes_a_point_in_the_plainest_form():
    assert canonical("3,5", "comma") == "3.5"


@pytest.mark.parametrize(
    "label", ["", " ", "nan", "NaN", "null", "None", "NA", "n/a", "#N/A", "<NA>", r"\N"]
)
def test_what_programs_write_for_missing_values_is_missing(label):
    assert is_missing(label)


def test_other_words_are_not_missing():
    assert not any(map(is_missing, ("0", "no", "nano", "-", "nothing")))


def test_flags_are_zeros_and_ones_or_truth_values():
    assert [as_flag(label) for label in ("1", "1.0", "TRUE", " true")] == [True] * 4
    assert [as_flag(label) for label in ("0", "0.", "False")] == [False] * 3
    assert [as_flag(label) for label in ("2", "-1", "yes", "", "0.5")] == [None] * 5


def test_needless_zeros_at_the_beginning_make_codes():
    assert padded_number(["7", "007"], "point") == "007"
    assert padded_number(["٠٧"], "point") == "٠٧"
    assert padded_number(["0", "0.5", "10"], "point") is None


@pytest.mark.parametrize(
    ("labels", "code"),
    [
        (["1.1", "1.9", "1.10"], "1.10"),
        (["1.10", "1.20", "3"], None),
        (["1.0", "1.5", "2.25"], None),
        (["1.00", "1.5"], None),
    ],
)
def test_zeros_at_the_end_make_codes_where_decimals_differ_in_number(labels, code):
    assert numbered_like_sections(labels, "point") == code
