"""How often an interval covers the truth, beside that of the plain bootstrap's percentiles.

Test sets are drawn from made-up models whose true scores are known from a million examples. Two
classes, four of which one is rare, six labels a text, and numbers; few examples, few mistakes.
"""

import argparse
from pathlib import Path

from tools.benchmarks.own_program import own_program
from tools.benchmarks.report_file import ReportFile
from tools.benchmarks.suite_inputs import add_output_option, positive
from tools.benchmarks.text_table import render_table


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the suite."""
    parser.add_argument("--sets", type=positive, default=200, help="test sets a row")
    parser.add_argument("--resamples", type=positive, default=500, help="behind each interval")
    parser.add_argument("--seed", type=int, default=0, help="draws the test sets")
    add_output_option(parser)


def run(arguments: argparse.Namespace, root: Path) -> int:
    """Runs the suite; returns the exit code."""
    report = ReportFile("intervals", arguments, arguments.output, {})
    rows = []
    for row in own_program(
        root,
        "intervals_program",
        sets=arguments.sets,
        resamples=arguments.resamples,
        seed=arguments.seed,
    ):
        rows.append(row)
        report.write({"rows": rows})
        shown = ", ".join(
            f"{name} {100 * new:.0f} ({100 * old:.0f})"
            for name, (new, old) in row["covers"].items()
        )
        print(f"{row['task']}, {row['right']:g} right, {row['examples']} examples: {shown}")
    names = sorted({name for row in rows for name in row["covers"]})
    header = ["task", "right", "examples", *names]
    table = [
        [row["task"], f"{row['right']:g}", str(row["examples"])]
        + [f"{100 * row['covers'][n][0]:.0f}" if n in row["covers"] else "" for n in names]
        for row in rows
    ]
    print("\n".join(render_table([header, *table], left={0})))
    print(report.name_below(root))
    return 0
