"""The whole sweep of depths and learning rates, against what people would otherwise run.

MiniLM on SST-2, depths 0, 2, 4 and 6, three learning rates each, 3 epochs, one seed:
(a) a plain PyTorch loop, batch 16, every text padded to 128; (b) the same loop, batch 32,
dynamic padding, length-grouped batches; (c) KerasTuner with TFBertForSequenceClassification and
fit, batch 32, padded to 128, no cache; (d) this project's search as a grid; (e) the same with
everything that saves time. One after the other, each in a process of its own. (a), (b) and (c)
are extrapolated from --steps timed steps of one trial a depth, unless --full; (d) and (e) always
run whole, to the end of their last trial.
"""

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

from tools.benchmarks import epoch, sweep_report, torch_environment
from tools.benchmarks.program_run import run_program
from tools.benchmarks.report_file import ReportFile
from tools.benchmarks.suite_inputs import (
    add_input_options,
    at_least_two,
    find_inputs,
    find_own_python,
    positive,
)
from tools.benchmarks.sweep_measurement import parse_sweep
from tools.benchmarks.sweep_plan import RATES, SYSTEMS, SweepPlan
from tools.benchmarks.sweep_report import SystemRuns

SINGLE_DEPTH, SINGLE_EPOCHS = 4, 5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the suite."""
    add_input_options(parser)
    parser.add_argument(
        "--depths",
        type=int,
        nargs="+",
        choices=sorted(RATES),
        default=sorted(RATES),
        help="frozen depths (default: all of them)",
    )
    parser.add_argument("--epochs", type=positive, default=3, help="epochs of a trial")
    parser.add_argument("--repeats", type=positive, default=1, help="runs of every system")
    parser.add_argument(
        "--systems", nargs="+", choices=SYSTEMS, default=list(SYSTEMS), help="what to run"
    )
    length = parser.add_mutually_exclusive_group()
    length.add_argument(
        "--steps",
        type=at_least_two,
        default=40,
        help="steps to time at each depth where a system is extrapolated (default: 40)",
    )
    length.add_argument("--full", action="store_true", help="run every system whole")
    parser.add_argument(
        "--single",
        action="store_true",
        help=f"instead of the sweep, one run at k = {SINGLE_DEPTH}, {SINGLE_EPOCHS} epochs: (b) "
        "against ours with cached frozen layers, filling included (an epoch suite)",
    )


def run(arguments: argparse.Namespace, root: Path) -> int:
    """Runs the suite.

    Args:
        arguments: Options of `add_arguments`.
        root: Top folder of the clone.

    Returns:
        Exit code: 0, or 1 if the systems did not do the same work.

    Raises:
        BenchError: If something is missing or a program fails.
    """
    if arguments.single:
        return epoch.run(single_run(arguments), root)
    plan = SweepPlan(
        depths=tuple(sorted(set(arguments.depths))),
        epochs=arguments.epochs,
        steps=None if arguments.full else arguments.steps,
        seed=arguments.seed,
    )
    systems = [system for name, system in SYSTEMS.items() if name in arguments.systems]
    runs: SystemRuns = {system.name: [] for system in systems}
    with tempfile.TemporaryDirectory() as folder:
        inputs = find_inputs(arguments, root, Path(folder))
        own = find_own_python(root)
        needs_torch = any(system.needs_torch for system in systems)
        torch = torch_environment.ensure_torch_environment(root) if needs_torch else own
        report = ReportFile("sweep", arguments, root / arguments.output, inputs.by_name())
        for repeat in range(arguments.repeats):
            for system in systems:
                python = torch if system.needs_torch else own
                command = plan.command(system, python, inputs, repeat)
                print(
                    f"({system.letter}) {epoch.describe(command)} ...", file=sys.stderr, flush=True
                )
                runs[system.name].append(run_program(command, root, parse_sweep))
                report.write(results(runs, plan))
    print(sweep_report.render(runs, plan))
    for warning in sweep_report.warnings_of(runs, plan):
        print(f"warning: {warning}")
    print(f"written: {report.name_below(root)}")
    return 1 if sweep_report.differences(runs, plan) else 0


def single_run(arguments: argparse.Namespace) -> argparse.Namespace:
    """The options of the epoch suite for one run in which the cache is filled and read."""
    return argparse.Namespace(
        **{name: getattr(arguments, name) for name in ("data", "model_dir", "train_limit")},
        **{name: getattr(arguments, name) for name in ("seed", "output", "repeats")},
        depths=[SINGLE_DEPTH],
        epochs=SINGLE_EPOCHS,
        cache="auto",
        systems=["pytorch", "ours"],
        steps=None if arguments.full else arguments.steps,
        fixed_steps=None,
    )


def results(runs: SystemRuns, plan: SweepPlan) -> dict[str, Any]:
    """Everything measured so far, for the JSON report."""
    of_systems = [
        {
            "letter": SYSTEMS[name].letter,
            "name": name,
            "foreign_load": run.foreign_load,
            "disturbed": run.disturbed,
            **run.measurement.to_dict(),
        }
        for name, of_system in runs.items()
        for run in of_system
    ]
    return {
        "runs": of_systems,
        "ratios": sweep_report.ratios(runs),
        "warnings": sweep_report.warnings_of(runs, plan),
    }
