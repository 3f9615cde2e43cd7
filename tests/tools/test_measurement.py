"""How a few timed steps become a whole training, and how records are read back."""

import pytest

from tools.benchmarks.measurement import parse_measurement, seconds_of_all_steps
from tools.benchmarks.torch_environment import BenchError


def test_steps_that_did_not_run_are_charged_by_their_tokens_without_the_first():
    # 3 s for the first step, then 1 s for each 10 tokens; 60 tokens did not run.
    assert seconds_of_all_steps([3.0, 1.0, 2.0], [10, 10, 20], total=100) == pytest.approx(12.0)


def test_warm_up_steps_say_nothing_about_the_others():
    seconds = seconds_of_all_steps([9.0, 5.0, 1.0], [10, 10, 10], total=50, warmup_steps=2)

    assert seconds == pytest.approx(15.0 + 2.0)


def test_training_that_was_timed_whole_is_not_extrapolated():
    assert seconds_of_all_steps([3.0], [10], total=10) == 3.0


@pytest.mark.parametrize("stdout", ["", "no JSON", "{}", '{"system": "pytorch"}'])
def test_program_without_its_json_line_is_an_error(stdout):
    with pytest.raises(BenchError, match="did not end with its JSON line"):
        parse_measurement(stdout)
