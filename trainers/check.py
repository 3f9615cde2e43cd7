"""Checks a trained model with changed texts, known answers and parts of the data.

Example:
    python -m trainers.check runs/reviews-depth4
    python -m trainers.check runs/reviews-depth4 --checks mine.yaml --most-flipped 0.1
    python -m trainers.check runs/reviews-depth4 new.csv --by source
"""

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from tf_finetune.errors import UserError, visible
from tf_finetune.invocation import PROGRAM
from trainers.arguments import parse_arguments, whole_number
from trainers.cli import run_command
from trainers.trained_run import open_trained_run

if TYPE_CHECKING:
    from tf_finetune.jobs.check import CheckOptions

EXIT_CHECK_FAILED = 1


def main(argv: Sequence[str]) -> int:
    """Prints what each check found and writes a page; returns the exit code.

    0: done, or passed; 1: a check failed on more texts than --most-flipped accepts.
    """
    arguments = parse_arguments("check", argv)
    console = Console()
    options = _options(arguments)
    opened = open_trained_run(arguments)

    from tf_finetune.jobs.check import check_model
    from tf_finetune.reports.check_tables import render_checks

    report, written = check_model(opened, arguments.file, options, console)
    if opened.description:
        console.print(Text(visible(f"{opened.run.path}: {opened.description}")), soft_wrap=True)
    render_checks(console, report)
    console.print(Text(visible(f"written to {written}.html and .json")), soft_wrap=True)
    if not report.failed:
        return 0
    print(visible(f"{PROGRAM}: the check {report.verdict}"), file=sys.stderr)
    return EXIT_CHECK_FAILED


def _options(arguments: argparse.Namespace) -> "CheckOptions":
    """What the flags say; all that is wrong with them at once."""
    from tf_finetune.jobs.check import CheckOptions
    from tf_finetune.robustness.check_file import load_checks

    problems: list[str] = []

    def number(flag: str, text: str | None, accepted: str, most: float) -> float | None:
        if text is None:
            return None
        try:
            value = float(text)
        except ValueError:
            value = -1.0
        if not 0.0 <= value <= most:
            problems.append(f"{flag}: received {text!r}; accepted: {accepted}")
        return value

    share = "a share from 0 to 1, such as 0.1"
    most_flipped = number("--most-flipped", arguments.most_flipped, share, 1.0)
    at_least = "a number of at least 0"
    tolerance = number("--tolerance", arguments.tolerance, at_least, sys.float_info.max)
    whole = {}
    for flag, text in (("--limit", arguments.limit), ("--seed", arguments.seed)):
        try:
            whole[flag] = whole_number(flag, text)
        except UserError as error:
            problems += error.problems
    checks = None
    try:
        checks = load_checks(arguments.checks).with_slices(arguments.by, "--by")
    except UserError as error:
        problems += error.problems
    if problems or checks is None:
        raise UserError(problems)
    numbers = (most_flipped, tolerance, whole["--limit"], whole["--seed"])
    return CheckOptions(checks, *numbers, shift=arguments.shift)


if __name__ == "__main__":
    raise SystemExit(run_command(main))
