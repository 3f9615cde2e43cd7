"""One training epoch, side by side: this project and a plain PyTorch loop.

Both train the same encoder on the same texts with the same frozen depth, batch size and
learning rate, in alternation (PyTorch, ours, PyTorch, ours, ...), each run in a process of its
own. Ratios are taken pair by pair. A run during which other processes were busy is marked and
its pair left out of the ratio.
"""

import argparse
import dataclasses
import sys
import tempfile
from pathlib import Path
from typing import Any

from tools.benchmarks import epoch_report, torch_environment
from tools.benchmarks.epoch_report import DepthRuns, EpochRun
from tools.benchmarks.epoch_tasks import EPOCH_TASKS
from tools.benchmarks.measurement import parse_measurement
from tools.benchmarks.own_program import Option, program_command
from tools.benchmarks.program_run import run_program
from tools.benchmarks.report_file import ReportFile
from tools.benchmarks.suite_inputs import (
    Inputs,
    add_input_options,
    at_least_two,
    find_inputs,
    find_own_python,
    positive,
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the suite."""
    add_input_options(parser)
    parser.add_argument(
        "--task",
        choices=sorted(EPOCH_TASKS),
        default="single_label",
        help="sentences of SST-2, or the words of spoken commands (default: single_label)",
    )
    parser.add_argument("--depths", type=int, nargs="+", default=[0, 4], help="frozen depths")
    parser.add_argument("--repeats", type=positive, default=3, help="pairs at each depth")
    parser.add_argument("--epochs", type=positive, default=1, help="epochs of each run")
    parser.add_argument(
        "--cache",
        choices=("auto", "memory", "disk", "off"),
        default="off",
        help="cache.mode of our side; filling it is part of the measured time (default: off)",
    )
    parser.add_argument(
        "--systems",
        nargs="+",
        choices=("pytorch", "ours"),
        default=["pytorch", "ours"],
        help="which sides to run",
    )
    parser.add_argument(
        "--steps", type=at_least_two, help="time only so many steps of a PyTorch run, extrapolate"
    )
    parser.add_argument(
        "--fixed-steps",
        type=at_least_two,
        help="also run PyTorch with batches of 16 padded to 128, this many steps once a depth",
    )


def run(arguments: argparse.Namespace, root: Path) -> int:
    """Runs the suite.

    Args:
        arguments: Options of `add_arguments`.
        root: Top folder of the clone.

    Returns:
        Exit code: 0, or 1 if the two sides did not do the same work.

    Raises:
        BenchError: If something is missing or a program fails.
    """
    with tempfile.TemporaryDirectory() as folder:
        inputs = find_inputs(arguments, root, Path(folder), EPOCH_TASKS[arguments.task])
        pythons = find_pythons(arguments, root)
        report = ReportFile("epoch", arguments, root / arguments.output, inputs.by_name())
        depths = [DepthRuns(depth) for depth in arguments.depths]
        for runs in depths:
            for of_system, command in plan(runs, arguments, pythons, inputs):
                print(f"k = {runs.depth}: {describe(command)} ...", file=sys.stderr, flush=True)
                of_system.append(run_program(command, root, parse_measurement))
                report.write(results(depths))
    print(epoch_report.render(depths))
    for warning in epoch_report.warnings_of(depths):
        print(f"warning: {warning}")
    print(f"written: {report.name_below(root)}")
    return 0 if epoch_report.same_work(depths) else 1


def plan(
    runs: DepthRuns, arguments: argparse.Namespace, pythons: dict[str, Path], inputs: Inputs
) -> list[tuple[list[EpochRun], list[str]]]:
    """The runs of one depth in order: where each result goes, and its command."""
    rate = EPOCH_TASKS[arguments.task].learning_rates[runs.depth > 0]
    programs = {"pytorch": "pytorch_loop", "ours": "ours_epoch"}
    results = {"pytorch": runs.pytorch, "ours": runs.ours}

    def command(system: str, seed: int, **options: Option) -> list[str]:
        return program_command(
            pythons[system],
            programs[system],
            **inputs._asdict(),
            task=arguments.task,
            frozen_depth=runs.depth,
            lr=str(rate),
            epochs=arguments.epochs,
            seed=seed,
            **options,
        )

    planned = []
    if arguments.fixed_steps and "pytorch" in pythons:
        options = {"padding": "fixed128", "steps": arguments.fixed_steps}
        planned.append((runs.fixed, command("pytorch", arguments.seed, **options)))
    options_of: dict[str, dict[str, Option]] = {
        "pytorch": {"steps": arguments.steps} if arguments.steps else {},
        "ours": {"cache": arguments.cache},
    }
    for repeat in range(arguments.repeats):
        for system in pythons:
            options = {"padding": "dynamic", **options_of[system]}
            planned.append((results[system], command(system, arguments.seed + repeat, **options)))
    return planned


def describe(command: list[str]) -> str:
    """A command without its interpreter's folder."""
    return " ".join(command[2:])


def find_pythons(arguments: argparse.Namespace, root: Path) -> dict[str, Path]:
    """The interpreter of each side that is to run, PyTorch first."""
    own = find_own_python(root) if "ours" in arguments.systems else None
    pythons = {}
    if "pytorch" in arguments.systems:
        pythons["pytorch"] = torch_environment.ensure_torch_environment(root)
    if own is not None:
        pythons["ours"] = own
    return pythons


def results(depths: list[DepthRuns]) -> dict[str, Any]:
    """Everything measured so far, for the JSON report."""
    runs = [
        {
            "name": name,
            "foreign_load": run.foreign_load,
            "disturbed": run.disturbed,
            **dataclasses.asdict(run.measurement),
        }
        for of_depth in depths
        for name, of_name in of_depth.by_name().items()
        for run in of_name
    ]
    return {
        "runs": runs,
        "ratios": epoch_report.ratios(depths),
        "warnings": epoch_report.warnings_of(depths),
    }
