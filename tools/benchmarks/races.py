"""How often the answers of made-up races are right, and what they take beside the grid.

Searches are made up whose truth is known (`simulated_search.py`); a race and the exhaustive grid
run in each. What each `search.rule` then recommends, what that loses in truth and saves, and how
often the interval of the loss holds it, is told in a second table.
"""

import argparse
from pathlib import Path
from typing import Any

from tools.benchmarks.own_program import own_program
from tools.benchmarks.report_file import ReportFile
from tools.benchmarks.suite_inputs import add_output_option, positive
from tools.benchmarks.text_table import render_table

_HEADER = [
    *("examples", "answers", "races", "said", "right", "covered", "loss", "grid's", "seconds"),
    "trials",
]
_RULES_HEADER = ["examples", "rule", "races", "loss", "price", "loss told", "covered"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the suite."""
    parser.add_argument("--searches", type=positive, default=100, help="searches a row")
    parser.add_argument(
        "--methods",
        type=int,
        choices=range(1, 6),
        default=1,
        help="methods that are compared (default: 1)",
    )
    parser.add_argument("--first", type=int, default=1000, help="number of the first search")
    add_output_option(parser)


def run(arguments: argparse.Namespace, root: Path) -> int:
    """Runs the suite; returns the exit code."""
    report = ReportFile("races", arguments, arguments.output, {})
    rows: list[dict[str, Any]] = []
    table, rules = [_HEADER], [_RULES_HEADER]
    for row in own_program(
        root,
        "races_program",
        searches=arguments.searches,
        first=arguments.first,
        methods=arguments.methods,
    ):
        rows.append(row)
        report.write({"rows": rows})
        if "rule" in row:
            rules.append(_shown_rule(row))
        else:
            table.append(_shown(row))
        print(", ".join(f"{name} {value}" for name, value in row.items()), flush=True)
    print("\n".join(render_table(table, left={1})))
    print("\n".join(render_table(rules, left={1})))
    print(report.name_below(root))
    return 0


def _shown(row: dict[str, Any]) -> list[str]:
    return [
        f"{row['examples']:,}",
        row["answers"],
        str(row["races"]),
        f"{row['said']:.0%}",
        f"{row['right']:.0%}",
        f"{row['covered']:.0%}",
        f"{100 * row['loss']:.2f}",
        f"{100 * row['loss_of_grid']:.2f}",
        f"{row['seconds_of_grid']:.0%}",
        f"{row['trials']:.1f} of {row['trials_of_grid']:.1f}",
    ]


def _shown_rule(row: dict[str, Any]) -> list[str]:
    covered = row["covered"]
    return [
        f"{row['examples']:,}",
        row["rule"],
        str(row["races"]),
        f"{100 * row['loss']:.2f}",
        f"{row['price']:.0%}",
        str(row["told"]),
        "" if covered is None else f"{covered:.0%}",
    ]
