"""The ratios, tables and warnings of the sweep suite."""

from tests.tools.sweeps import make_run, make_trial
from tools.benchmarks import sweep_report
from tools.benchmarks.sweep_plan import SweepPlan

PLAN = SweepPlan(depths=(4,), epochs=3, steps=40, seed=0)
RATES = (1e-4, 3e-4, 9e-4)


def theirs(seconds, **options):
    trial = make_trial(4, 3e-4, seconds, stands_for=3, extrapolated=True)
    return make_run(trial, outside=0.0, **options)


def ours(seconds, **options):
    """The middle rate scores best."""
    scores = (0.84, 0.86, 0.85)
    trials = [
        make_trial(4, rate, seconds, validation_accuracy=score)
        for rate, score in zip(RATES, scores, strict=True)
    ]
    return make_run(*trials, outside=0.0, **options)


def test_ratios_are_taken_repeat_by_repeat():
    runs = {"pytorch-dynamic": [theirs(10.0), theirs(24.0)], "ours-grid": [ours(5.0), ours(6.0)]}

    (ratio,) = sweep_report.ratios(runs)

    assert (ratio["theirs"], ratio["ours"]) == ("pytorch-dynamic", "ours-grid")
    assert (ratio["median"], ratio["least"], ratio["greatest"]) == (3.0, 2.0, 4.0)
    assert ratio["extrapolated"]


def test_every_pair_of_systems_has_a_ratio():
    names = ("pytorch-fixed128", "pytorch-dynamic", "keras-tuner")
    runs = {name: [theirs(10.0)] for name in names}
    runs |= {"ours-grid": [ours(5.0)], "ours-levers": [ours(2.0)]}

    assert [ratio["median"] for ratio in sweep_report.ratios(runs)] == [2.0] * 3 + [5.0] * 3


def test_disturbed_repeat_is_left_out_and_said():
    runs = {
        "pytorch-dynamic": [theirs(10.0), theirs(24.0, foreign_load=0.3)],
        "ours-grid": [ours(5.0), ours(6.0)],
    }

    (ratio,) = sweep_report.ratios(runs)

    assert (ratio["quiet_repeats"], ratio["repeats"], ratio["greatest"]) == (1, 2, 2.0)
    assert sweep_report.warnings_of(runs, PLAN) == [
        "pytorch-dynamic, run 2: other processes took 30% of the cores; it is left out of the "
        "ratios"
    ]


def test_no_ratio_without_a_quiet_repeat():
    runs = {"keras-tuner": [theirs(10.0, foreign_load=0.3)], "ours-grid": [ours(5.0)]}

    assert sweep_report.ratios(runs)[0]["median"] is None
    assert "no ratio, because other processes" in sweep_report.render(runs, PLAN)


def test_equal_work_gives_no_warning():
    runs = {"pytorch-dynamic": [theirs(10.0)], "ours-grid": [ours(5.0)]}

    assert sweep_report.warnings_of(runs, PLAN) == []
    assert sweep_report.differences(runs, PLAN) == []


def test_other_cells_and_other_parameters_are_other_work():
    runs = {
        "pytorch-dynamic": [theirs(10.0)],
        "ours-grid": [make_run(make_trial(4, 5e-3, trainable_parameters=7))],
    }

    assert sweep_report.differences(runs, PLAN) == [
        "ours-grid: 1 trials of 3 epochs, not 3 of 3",
        "ours-grid: tried k = 4, lr 0.005, unplanned",
        "ours-grid: 7 trained parameters at k = 4, elsewhere 96",
    ]


def test_giving_trials_up_is_what_the_levers_are_for():
    run = make_run(make_trial(4, 3e-4, epochs=1, validation_accuracy=0.8))

    assert sweep_report.differences({"ours-levers": [run]}, PLAN) == []


def test_failed_trial_is_a_warning():
    run = make_run(*(make_trial(4, rate, trainable_parameters=None) for rate in RATES))

    warnings = sweep_report.warnings_of({"ours-grid": [run]}, PLAN)

    assert warnings[0] == "ours-grid, run 1: the trial k = 4, lr 0.0001 failed"


def test_tables_show_medians_marks_answers_and_ratios():
    runs = {
        "keras-tuner": [theirs(10.0), theirs(20.0), theirs(12.0)],
        "ours-grid": [ours(2.0), ours(5.0, foreign_load=0.1), ours(3.0)],
        "ours-levers": [],
    }

    lines = sweep_report.render(runs, PLAN).splitlines()

    assert lines == [
        "     system       runs  sweep s  range  start s  trials  peak RSS  accuracy  of",
        "-" * 99,
        "(c)  keras-tuner     3      36*  30-60      0.0       3  1000 MiB         -",
        "(d)  ours-grid       3       9!   6-15      0.0       3  1000 MiB     0.860"
        "  best: k = 4, lr 0.0003",
        "",
        "seconds at each depth, all trials together",
        "     system       k = 4",
        "-----------------------",
        "(c)  keras-tuner     36",
        "(d)  ours-grid        9",
        "* extrapolated from timed steps",
        "! other processes used the machine in some of these runs",
        "(c)/(d) keras-tuner over ours-grid: 4.50 (4.00 to 5.00 over 2 quiet of 3 repeats, "
        "extrapolated)",
    ]
