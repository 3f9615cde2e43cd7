"""The table of executed steps, what it says of cached states, and what there was no time for."""

import sys
from types import SimpleNamespace

import pytest

from tf_finetune.preflight.device.run import compiled_steps
from tf_finetune.preflight.device.table import left_out_lines, table_lines, verdict_lines


def result(depth, cached, milliseconds, moving=0.0, **changed):
    return {
        **{"encoder": "tiny", "precision": "float32", "batch_size": 32, "length": 128},
        **{"depth": depth, "cached": cached, "seconds": milliseconds / 1000},
        **{"moving_seconds": moving / 1000, "flops": 2e9, "of_product_rate": 0.5},
        **{"of_roofline": 0.6, "memory_bytes": 3 * 2**20, "errors": {"loss": 1e-6, "m": 2e-5}},
        **{"tolerance": 1e-4, "agrees": True, **changed},
    }


def test_a_row_says_time_rate_shares_memory_and_the_largest_difference():
    _, heading, row = table_lines([result(2, True, 4.0, 0.5)])

    assert heading == "tiny, float32, 32 texts, rows of 128 tokens"
    assert row.split() == ["2", "states", "4.00", "0.50", "0.500", "50%", "60%", "3", "2.0e-05"]


def test_rows_stand_by_depth_and_one_that_differs_says_so():
    wrong = result(1, False, 1.0, agrees=False, errors={"loss": 1.0})

    lines = table_lines([result(2, True, 1), result(2, False, 1), wrong])

    assert [line.split()[:2] for line in lines[2:]] == [
        ["1", "tokens"],
        ["2", "tokens"],
        ["2", "states"],
    ]
    assert lines[2].endswith("1.0e+00  DIFFERS (over 1e-04)")


def test_states_pay_from_the_depth_on_from_which_they_always_do():
    pairs = {1: (8.0, 7.0), 2: (6.0, 6.5), 4: (6.0, 3.0), 6: (5.0, 1.0)}
    results = [result(0, False, 9.0)]
    for depth, (tokens, states) in pairs.items():
        results += [result(depth, False, tokens), result(depth, True, states)]

    (line,) = verdict_lines(results)

    assert line == (
        "tiny, float32, 32 texts: cached states beat computing them from depth 4 on, of depths "
        "1, 2, 4, 6 (2.00x at 4, 5.00x at 6)"
    )


def test_states_that_take_long_to_move_do_not_pay():
    (line,) = verdict_lines([result(1, False, 2.0, 0.1), result(1, True, 1.0, 1.5)])

    assert "from no depth on, of depths 1" in line


def test_what_was_left_out_is_named_with_the_reason():
    lines = left_out_lines({"a": "as the time was up", "b": "Error: x", "c": "as the time was up"})

    assert lines == ["left out, as the time was up: a, c", "left out, Error: x: b"]


@pytest.fixture
def compiling(monkeypatch):
    """Compiles `good`, not `bad`; names that were begun."""
    begun = []

    def compile_step(folder, meta):
        begun.append(meta["name"])
        if meta["name"] == "bad":
            raise ValueError("no kernel\nmore of it")
        return meta["name"].upper(), 0.1

    fake = SimpleNamespace(compile_step=compile_step, read_meta=lambda folder, name: {"name": name})
    monkeypatch.setitem(sys.modules, "tf_finetune.preflight.device.execution", fake)
    return begun


def test_a_step_that_cannot_be_compiled_does_not_take_the_others_along(compiling, tmp_path):
    left_out = {}

    found = compiled_steps(tmp_path, ["good", "bad", "other"], float("inf"), left_out)

    assert found == [("good", ("GOOD", 0.1)), ("other", ("OTHER", 0.1))]
    assert left_out == {"bad": "ValueError: no kernel"}


def test_when_the_time_is_up_no_further_step_is_begun(compiling, tmp_path, monkeypatch):
    left_out = {}
    names = [f"good{number}" for number in range(100)]

    found = compiled_steps(tmp_path, names, 0.0, left_out)

    assert {name for name, _ in found}.isdisjoint(left_out)
    assert {name for name, _ in found} | set(left_out) == set(names)
    assert {reason for reason in left_out.values()} <= {"as the time was up"}
