"""Whether the prefix cache ever slows a run: `cache.mode=auto` against `off` on a grid of sizes.

Runs of few and many texts, epochs and frozen layers, each twice in alternation, in one process.
What is timed is a run from its compiled model to its end: deciding (which times a few batches),
filling, tracing, training and scoring. A ratio over 1 is a run that the decision made slower.
"""

import argparse
import tempfile
from pathlib import Path
from typing import Any

from tools.benchmarks.own_program import own_program
from tools.benchmarks.report_file import ReportFile
from tools.benchmarks.suite_inputs import (
    Inputs,
    add_input_options,
    find_inputs,
    positive,
)
from tools.benchmarks.text_table import render_table

_HEADER = ["texts", "depth", "epochs", "off s", "auto s", "auto / off", "auto chose"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the suite."""
    add_input_options(parser)
    parser.add_argument("--texts", type=positive, nargs="+", default=[100, 400, 1600])
    parser.add_argument("--depths", type=positive, nargs="+", default=[1, 3, 6])
    parser.add_argument("--epochs", type=positive, nargs="+", default=[1, 3])
    parser.add_argument("--repeats", type=positive, default=1, help="pairs of each cell")


def run(arguments: argparse.Namespace, root: Path) -> int:
    """Runs the suite; returns the exit code."""
    with tempfile.TemporaryDirectory() as folder:
        inputs = find_inputs(arguments, root, Path(folder))
        report = ReportFile("cache", arguments, arguments.output, inputs.by_name())
        cells = _measure(arguments, root, inputs, report)
    print("\n".join(render_table([_HEADER, *map(_row, cells)])))
    print(f"largest ratio: {max(cell['ratio'] for cell in cells):.2f}")
    print(report.name_below(root))
    return 0


def _measure(
    arguments: argparse.Namespace, root: Path, inputs: Inputs, report: ReportFile
) -> list[dict[str, Any]]:
    """Every cell, written and shown as soon as it is known."""
    grid = {name: getattr(arguments, name) for name in ("texts", "depths", "epochs")}
    cells = []
    for cell in own_program(
        root,
        "cache_grid_program",
        model_dir=inputs.model_dir,
        train=inputs.train,
        **grid,
        seed=arguments.seed,
        repeats=arguments.repeats,
    ):
        cells.append(cell)
        report.write({"cells": cells})
        print("  ".join(_row(cell)), flush=True)
    return cells


def _row(cell: dict[str, Any]) -> list[str]:
    seconds = (f"{cell[mode]:.1f}" for mode in ("off", "auto"))
    where = "states" if cell["cached"] else "none"
    sizes = (str(cell[name]) for name in ("texts", "depth", "epochs"))
    return [*sizes, *seconds, f"{cell['ratio']:.2f}", where]
