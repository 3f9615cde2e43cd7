"""Two logical CPU devices against one, on the same cores: what distribution itself costs.

Both compute the same steps of the same batches of sentences: batch 32, all layers trained. Two
devices split each batch and add their gradients. Every run is a process of its own, and the two
kinds alternate. The figure is the ratio of the medians of their steps.
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

AIM = 1.15


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the suite."""
    add_input_options(parser)
    parser.add_argument("--steps", type=at_least_two, default=12, help="timed steps of a run")
    parser.add_argument("--repeats", type=positive, default=2, help="runs of each kind")


def run(arguments: argparse.Namespace, root: Path) -> int:
    """Runs the suite; returns the exit code."""
    with tempfile.TemporaryDirectory() as folder:
        inputs = find_inputs(arguments, root, Path(folder))
        report = ReportFile("replicas", arguments, arguments.output, inputs.by_name())
        seconds: dict[int, list[float]] = {1: [], 2: []}
        for _ in range(arguments.repeats):
            for devices, steps in seconds.items():
                for measured in own_program(
                    root,
                    "replicas_program",
                    model_dir=inputs.model_dir,
                    train=inputs.train,
                    folder=folder,
                    seed=arguments.seed,
                    devices=devices,
                    steps=arguments.steps,
                ):
                    steps += measured["step_seconds"]
                report.write({"step_seconds": seconds})
                print(f"{devices} device(s): done", flush=True)
    medians = {devices: statistics.median(steps) for devices, steps in seconds.items()}
    rows = [
        [str(devices), f"{1000 * median:,.0f}", f"{median / medians[1]:.2f}"]
        for devices, median in medians.items()
    ]
    print("\n".join(render_table([["devices", "ms a step", f"ratio (aim {AIM})"], *rows])))
    print(report.name_below(root))
    return 0
