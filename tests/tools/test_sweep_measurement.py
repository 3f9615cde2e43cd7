"""What a sweep takes, from what was timed of it."""

import dataclasses
import json

import pytest

from tests.tools.sweeps import make_sweep, make_trial
from tools.benchmarks.measurement import print_measurement
from tools.benchmarks.sweep_measurement import (
    WARMUP_STEPS,
    TimedTrial,
    TrialSeconds,
    parse_sweep,
)
from tools.benchmarks.torch_environment import BenchError


def make_timed(**changes):
    """Three warm-up steps and two at 1 s for 10 tokens; 10 s elsewhere; 20 of 70 tokens left."""
    timed = TimedTrial(
        wall_seconds=29.0,
        step_seconds=[6.0, 2.0, 2.0, 1.0, 1.0],
        step_tokens=[10, 10, 10, 10, 10],
        total_tokens=70,
        evaluation_seconds=[4.0, 3.0],
        epochs=3,
    )
    return dataclasses.replace(timed, **changes)


def test_trial_is_extrapolated_part_by_part():
    assert WARMUP_STEPS == 3
    assert make_timed().seconds() == TrialSeconds(
        starting=29.0 - 12.0 - 7.0, training=12.0 + 2.0, evaluating=7.0 + 3.0
    )


def test_evaluation_that_ran_once_is_charged_for_every_epoch():
    assert make_timed(evaluation_seconds=[4.0]).seconds().evaluating == 12.0


def test_parts_of_a_whole_trial_are_its_wall_time():
    whole = make_timed(total_tokens=50, evaluation_seconds=[4.0, 3.0, 3.0])

    assert sum(whole.seconds()) == whole.wall_seconds


def test_trial_stands_for_those_at_its_depth():
    sweep = make_sweep(
        make_trial(4, 3e-4, 10.0, stands_for=3, extrapolated=True),
        make_trial(0, 5e-5, 40.0, stands_for=2, extrapolated=True),
    )

    assert sweep.sweep_seconds == 5.0 + 3 * 10.0 + 2 * 40.0
    assert sweep.seconds_at(4) == 30.0
    assert sweep.count == 5
    assert sweep.extrapolated


def test_one_whole_trial_a_depth_is_still_not_the_whole_sweep():
    assert make_sweep(make_trial(4, 3e-4, stands_for=3)).extrapolated
    assert not make_sweep(make_trial(4, 3e-4)).extrapolated


def test_trials_of_fewer_epochs_and_failed_ones_are_never_the_best():
    best = make_trial(4, 3e-4, validation_accuracy=0.86)
    sweep = make_sweep(
        make_trial(0, 5e-5, validation_accuracy=0.9, epochs=1),
        make_trial(0, 1.5e-4, trainable_parameters=None),
        make_trial(4, 1e-4, validation_accuracy=0.85),
        best,
    )

    assert sweep.best == best


def test_answer_is_what_is_recommended_after_every_epoch():
    recommended = make_trial(4, 3e-4, validation_accuracy=0.86)
    trials = (
        make_trial(4, 3e-4, validation_accuracy=0.8, epochs=1),
        make_trial(0, 5e-5, validation_accuracy=0.87),
        recommended,
    )

    assert make_sweep(*trials, recommended=(4, 3e-4)).answer == recommended
    assert make_sweep(*trials).answer == trials[1]


def test_sweep_survives_its_json_line(capsys):
    parts = TrialSeconds(1.0, 8.0, 1.0)
    sweep = make_sweep(make_trial(4, 3e-4, parts=parts), recommended=(4, 3e-4))

    print("Search: running trial 1")
    print_measurement(sweep)

    assert parse_sweep(capsys.readouterr().out) == sweep


def test_report_names_the_parts_and_the_best_trial():
    parts = TrialSeconds(1.0, 8.0, 1.0)
    trial = make_trial(4, 3e-4, parts=parts, validation_accuracy=0.86)

    written = json.loads(json.dumps(make_sweep(trial).to_dict()))

    assert written["trials"][0]["parts"] == {
        "starting": 1.0,
        "training": 8.0,
        "evaluating": 1.0,
    }
    assert written["best"] == written["trials"][0]
    assert written["extrapolated"] is False


def test_line_without_trials_is_an_error():
    with pytest.raises(BenchError, match=r"JSON line \('trials'\)"):
        parse_sweep('{"padding": "dynamic"}')
