"""Sweeps of invented times, shared by the tests of the suite."""

from tools.benchmarks.program_run import ProgramRun
from tools.benchmarks.sweep_measurement import SweepMeasurement, TrialMeasurement, sweep_seconds


def make_trial(depth, rate, seconds=10.0, **changes):
    fields = {"epochs": 3, "parts": None, "trainable_parameters": 100 - depth}
    return TrialMeasurement(
        frozen_depth=depth, learning_rate=rate, seconds=seconds, **{**fields, **changes}
    )


def make_sweep(*trials, outside=5.0, recommended=None):
    return SweepMeasurement(
        versions={"torch": "2.13.0"},
        padding="dynamic",
        batch_size=32,
        epochs=3,
        trials=trials,
        seconds_outside_trials=outside,
        sweep_seconds=sweep_seconds(outside, trials),
        peak_rss_bytes=1000 * 2**20,
        recommended=recommended,
    )


def make_run(*trials, foreign_load=0.0, **options):
    return ProgramRun(make_sweep(*trials, **options), foreign_load)
