"""Which cells the sweep has, and what each system is told."""

import argparse
from pathlib import Path

import pytest

from tf_finetune.config.loading import load_config
from tools.benchmarks import sweep
from tools.benchmarks.ours_sweep import CONFIG, search_command
from tools.benchmarks.suite_inputs import TEXTS, Inputs, sample_training_file
from tools.benchmarks.sweep_plan import EVERY_LEVER, GRID, OWN, SYSTEMS, THEIRS, SweepPlan
from tools.benchmarks.sweep_program import (
    PlannedTrial,
    format_rates,
    parse_rates,
    sweep_parser,
    trials_to_run,
)
from tools.benchmarks.torch_environment import BenchError

ROOT = Path(__file__).parents[2]
INPUTS = Inputs(Path("train.tsv"), Path("dev.tsv"), Path("model"))
PLAN = SweepPlan(depths=(0, 4), epochs=3, steps=40, seed=7)


def command_of(name, plan=PLAN, repeat=0):
    return plan.command(SYSTEMS[name], Path("python"), INPUTS, repeat)


def test_every_depth_has_three_rates():
    assert len(SweepPlan((0, 2, 4, 6), 3, None, 0).cells) == 12
    assert PLAN.rates[4] == (1e-4, 3e-4, 9e-4)


def test_systems_are_compared_by_their_letters():
    assert [system.letter for system in SYSTEMS.values()] == list("abcde")
    assert [system.letter for system in THEIRS] == list("abc")
    assert [system.letter for system in OWN] == list("de")


@pytest.mark.parametrize("name", ["pytorch-fixed128", "pytorch-dynamic", "keras-tuner"])
def test_their_systems_are_shortened_unless_they_run_whole(name):
    whole = SweepPlan((0, 4), 3, None, 7)

    assert command_of(name)[command_of(name).index("--steps") + 1] == "40"
    assert "--steps" not in command_of(name, whole)


@pytest.mark.parametrize("name", ["ours-grid", "ours-levers"])
def test_our_systems_always_run_whole(name):
    assert "--steps" not in command_of(name)


def test_repeats_differ_in_the_seed_alone():
    first, second = command_of("keras-tuner"), command_of("keras-tuner", repeat=1)

    assert [pair for pair in zip(first, second, strict=True) if len(set(pair)) > 1] == [("7", "8")]


def test_whole_sweep_runs_every_cell_deepest_first():
    rates = {0: (1e-5, 2e-5), 4: (3e-4,)}

    assert trials_to_run(rates, None) == [
        PlannedTrial(4, 3e-4, 1),
        PlannedTrial(0, 1e-5, 1),
        PlannedTrial(0, 2e-5, 1),
    ]


def test_shortened_sweep_runs_the_middle_rate_of_each_depth_for_all():
    rates = {0: (1e-5, 2e-5, 3e-5), 4: (3e-4,)}

    assert trials_to_run(rates, 40) == [PlannedTrial(4, 3e-4, 1), PlannedTrial(0, 2e-5, 3)]


def test_rates_survive_the_command_line():
    assert parse_rates(format_rates(PLAN.rates)) == PLAN.rates


@pytest.mark.parametrize("overrides", [GRID, EVERY_LEVER])
def test_search_accepts_the_options_it_is_given(overrides, monkeypatch, tmp_path):
    """A lever that is renamed in the configuration has to be renamed in the plan."""
    monkeypatch.chdir(ROOT)
    parser = sweep_parser("")
    parser.add_argument("--overrides", nargs="*")
    rest = command_of("ours-grid")[3 : -len(GRID)]
    arguments = parser.parse_args([*rest, *overrides])

    command = search_command(arguments, tmp_path)
    config = load_config(CONFIG, command[command.index(CONFIG) + 1 :])

    assert config.search.learning_rates_by_depth == PLAN.rates
    assert (config.search.depths, config.search.seeds) == ("0,4", (7,))
    assert (config.training.epochs, config.training.batch_size) == (3, 32)
    assert (config.data.train, config.data.test) == ("train.tsv", None)


def test_options_of_the_suite_are_extrapolated_by_default():
    parser = argparse.ArgumentParser()
    sweep.add_arguments(parser)

    arguments = parser.parse_args([])

    assert (arguments.steps, arguments.full, arguments.depths) == (40, False, [0, 2, 4, 6])
    with pytest.raises(SystemExit):
        parser.parse_args(["--full", "--steps", "30"])


def test_single_run_is_an_epoch_suite_with_the_cache():
    parser = argparse.ArgumentParser()
    sweep.add_arguments(parser)

    options = sweep.single_run(parser.parse_args(["--single", "--full", "--repeats", "2"]))

    assert (options.depths, options.epochs, options.cache) == ([4], 5, "auto")
    assert (options.steps, options.repeats) == (None, 2)


def test_sample_of_the_training_file_has_its_header_and_distinct_rows(tmp_path):
    source = tmp_path / "train.tsv"
    source.write_text("text\tlabel\n" + "".join(f"text {i}\t0\n" for i in range(9)))
    folder = tmp_path / "sample"
    folder.mkdir()

    header, *rows = sample_training_file(source, TEXTS, 4, folder).read_text().splitlines()

    assert header == "text\tlabel"
    assert len(set(rows)) == 4
    assert set(rows) <= set(source.read_text().splitlines())
    assert sample_training_file(source, TEXTS, None, folder) == source


def test_sample_larger_than_the_file_is_an_error(tmp_path):
    source = tmp_path / "train.tsv"
    source.write_text("text\tlabel\none\t0\n")

    with pytest.raises(BenchError, match="--train-limit: received 2; accepted: 1 to 1"):
        sample_training_file(source, TEXTS, 2, tmp_path)
