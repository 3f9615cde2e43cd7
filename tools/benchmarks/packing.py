"""Packed rows against padded ones: the share of real tokens, and how many of them a second.

Two kinds of text: sentences as they are in SST-2 (`short`, rows of 128 tokens), and as many of them
joined as make documents with lengths like IMDb's (`long`, median about 230 tokens, rows of 512).
All layers train, batch 32. The share of real tokens is that of a whole epoch; the speed that of
some steps of it, all in one process.
"""

import argparse
import tempfile
from pathlib import Path
from typing import Any

from tools.benchmarks.own_program import own_program
from tools.benchmarks.report_file import ReportFile
from tools.benchmarks.suite_inputs import (
    add_input_options,
    at_least_two,
    find_inputs,
)
from tools.benchmarks.text_table import render_table

_HEADER = ["texts", "padding", "real tokens", "shapes", "real tokens/s", "against longest"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the suite."""
    add_input_options(parser)
    parser.add_argument("--short-steps", type=at_least_two, default=12, help="timed steps of short")
    parser.add_argument("--long-steps", type=at_least_two, default=3, help="timed steps of long")


def run(arguments: argparse.Namespace, root: Path) -> int:
    """Runs the suite; returns the exit code."""
    with tempfile.TemporaryDirectory() as folder:
        inputs = find_inputs(arguments, root, Path(folder))
        report = ReportFile("packing", arguments, arguments.output, inputs.by_name())
        cells = []
        for cell in own_program(
            root,
            "packing_program",
            model_dir=inputs.model_dir,
            train=inputs.train,
            seed=arguments.seed,
            folder=folder,
            steps=(arguments.short_steps, arguments.long_steps),
        ):
            cells.append(cell)
            report.write({"cells": cells})
            print(f"{cell['texts']}, {cell['padding']}: done", flush=True)
    longest = {c["texts"]: c["tokens_per_second"] for c in cells if c["padding"] == "longest"}
    rows = [_row(cell, longest[cell["texts"]]) for cell in cells]
    print("\n".join(render_table([_HEADER, *rows], left=[0, 1])))
    print(report.name_below(root))
    return 0


def _row(cell: dict[str, Any], longest: float) -> list[str]:
    speed = cell["tokens_per_second"]
    return [
        cell["texts"],
        cell["padding"],
        f"{cell['real_tokens']:.1%}",
        str(cell["shapes"]),
        f"{speed:,.0f}",
        f"{speed / longest:.2f}",
    ]
