"""What `training.steps_per_execution` saves: short steps, from kept states, 1 to 64 in a call.

Only the head trains, or the head and the last layer; batch 32. The kinds alternate in one
process for each depth. The figure is the ratio of the medians of their fits.
"""

import argparse
import statistics
import tempfile
from pathlib import Path

from tools.benchmarks.own_program import own_program
from tools.benchmarks.report_file import ReportFile
from tools.benchmarks.suite_inputs import (
    add_input_options,
    at_least_two,
    find_inputs,
    positive,
)
from tools.benchmarks.text_table import render_table

EXECUTIONS = (1, 4, 16, 64)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the suite."""
    add_input_options(parser)
    parser.add_argument("--steps", type=at_least_two, default=128, help="steps of a fit")
    parser.add_argument("--repeats", type=positive, default=5, help="fits of each kind")
    parser.add_argument(
        "--depths", type=int, nargs="+", default=[6, 5], help="frozen layers (default: 6 5)"
    )


def run(arguments: argparse.Namespace, root: Path) -> int:
    """Runs the suite; returns the exit code."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        inputs = find_inputs(arguments, root, Path(folder))
        report = ReportFile("executions", arguments, arguments.output, inputs.by_name())
        found: dict[str, dict[str, list[float]]] = {}
        for depth in arguments.depths:
            seconds = found[str(depth)] = {str(steps): [] for steps in EXECUTIONS}
            for measured in own_program(
                root,
                "executions_program",
                model_dir=inputs.model_dir,
                depth=depth,
                seed=arguments.seed,
                steps=arguments.steps,
                repeats=arguments.repeats,
                executions=EXECUTIONS,
            ):
                seconds[str(measured["steps"])].append(measured["step_seconds"])
            report.write({"step_seconds": found})
            medians = {steps: statistics.median(values) for steps, values in seconds.items()}
            rows += [
                [str(depth), steps, f"{1000 * median:.2f}", f"{median / medians['1']:.2f}"]
                for steps, median in medians.items()
            ]
    header = ["frozen layers", "steps a call", "ms a step", "ratio"]
    print("\n".join(render_table([header, *rows])))
    print(report.name_below(root))
    return 0
