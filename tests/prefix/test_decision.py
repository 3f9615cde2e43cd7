"""Where states are kept, how, and whether it pays; figures by hand."""

import numpy as np
import pytest

from tf_finetune.prefix.decision import (
    Decision,
    Measured,
    choose_dtype,
    choose_place,
    decide,
    dtype_named,
    show_bytes,
    show_seconds,
)

FLOAT32, FLOAT16 = np.dtype("float32"), np.dtype("float16")
BFLOAT16 = dtype_named("bfloat16")


@pytest.mark.parametrize(
    ("wanted", "computed", "budget", "expected"),
    [
        ("auto", FLOAT32, 400, FLOAT32),
        ("auto", FLOAT32, 399, FLOAT16),
        ("auto", FLOAT32, 200, FLOAT16),
        ("auto", FLOAT32, 199, FLOAT32),  # which fits no better
        ("auto", BFLOAT16, 100, BFLOAT16),
        ("float32", BFLOAT16, 100, FLOAT32),
        ("float16", FLOAT32, 10**9, FLOAT16),
        ("bfloat16", FLOAT32, 100, BFLOAT16),
    ],
)
def test_a_hundred_values_are_stored_as_computed_unless_only_half_fits(
    wanted, computed, budget, expected
):
    assert choose_dtype(wanted, computed, 100, budget) == expected


@pytest.mark.parametrize(
    ("mode", "needed", "shared", "expected"),
    [
        ("auto", 10, False, "memory"),
        ("auto", 11, False, "disk"),
        ("auto", 21, False, None),
        ("auto", 10, True, "disk"),
        ("auto", 21, True, None),
        ("memory", 10, True, "memory"),
        ("memory", 11, False, None),
        ("disk", 10, False, "disk"),
        ("disk", 20, False, "disk"),
        ("disk", 21, False, None),
    ],
)
def test_place_is_the_first_with_room_and_shared_states_go_to_the_disk(
    mode, needed, shared, expected
):
    """Ten bytes of memory and twenty of disk."""
    place, where = choose_place(mode, needed, 10, 20, shared=shared)

    assert place == expected
    assert f"{needed} bytes" in where


@pytest.mark.parametrize(
    ("mode", "shared", "budgets"),
    [
        ("memory", False, "the memory budget of 10 bytes"),
        ("disk", False, "the disk budget of 20 bytes"),
        ("auto", False, "the budgets of 10 bytes in memory and 20 bytes on disk"),
        ("auto", True, "the disk budget of 20 bytes"),
    ],
)
def test_what_is_too_small_is_told_with_its_figures(mode, shared, budgets):
    assert choose_place(mode, 30, 10, 20, shared=shared) == (
        None,
        f"they would take 30 bytes, more than {budgets}",
    )


def test_states_are_kept_where_filling_and_reading_is_cheaper():
    # 5 x 10 s without; 10 s to fill and 5 x 1 s to read with.
    assert decide("memory", "in memory", Measured(10, 1, 10), 5) == Decision(
        "memory",
        "in memory: 5 passes through the frozen layers would take 50 s, one pass and 5 readings "
        "15 s",
    )


def test_states_are_not_kept_where_reading_takes_as_long_as_computing():
    assert decide("disk", "on disk", Measured(1, 1, 1), 5) == Decision(
        None,
        "5 passes through the frozen layers would take 5.0 s, one pass and 5 readings 6.0 s",
    )


def test_states_of_a_single_pass_are_kept_only_if_a_shallower_cache_makes_it_shorter():
    assert decide("memory", "here", Measured(10, 1, 10), 1).place is None
    assert decide("memory", "here", Measured(10, 1, 4), 1).place == "memory"


@pytest.mark.parametrize(
    ("count", "shown"),
    [(0, "0 bytes"), (1023, "1023 bytes"), (1536, "2 KiB"), (3 * 2**20, "3 MiB")]
    + [(3 * 2**29, "1.5 GiB"), (2**41, "2048.0 GiB")],
)
def test_sizes_are_shown_for_people(count, shown):
    assert show_bytes(count) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0.04, "0.0 s"), (9.94, "9.9 s"), (119, "119 s"), (120, "2 min"), (5400, "90 min")]
    + [(9000, "2.5 h")],
)
def test_times_are_shown_for_people(seconds, shown):
    assert show_seconds(seconds) == shown
