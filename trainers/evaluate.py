"""Scores a trained model on its own test split or on another labelled file.

Example:
    python -m trainers.evaluate runs/reviews-depth4 new_reviews.csv
    python -m trainers.evaluate runs/reviews-depth4 --suspects 100
"""

from collections.abc import Sequence
from functools import cache

from rich.console import Console
from rich.text import Text

from tf_finetune.errors import visible
from trainers.arguments import parse_arguments, whole_number
from trainers.cli import run_command
from trainers.trained_run import open_trained_run

_SHOWN = 10  # suspect labels in the terminal; the file has all


def main(argv: Sequence[str]) -> int:
    """Prints every metric with its interval and writes them to the run; returns the exit code."""
    arguments = parse_arguments("evaluate", argv)
    console = Console()
    suspects = arguments.suspects
    if suspects is not None:
        suspects = whole_number("--suspects", suspects, positive=True)
    opened = open_trained_run(arguments)

    from tf_finetune.tasks.table import check_able

    if suspects is not None:
        check_able(opened.labels.task, "suspects", f"--suspects: {opened.run.path}")

    from tf_finetune.jobs.evaluate import evaluate
    from tf_finetune.reports.console import render_metrics, render_mistakes, render_per_class

    loaded = cache(opened.load)
    report, written = evaluate(opened, arguments.file, console, load=loaded)
    if opened.description:
        console.print(Text(visible(f"{opened.run.path}: {opened.description}")), soft_wrap=True)
    render_metrics(console, report)
    render_per_class(console, report)
    render_mistakes(console, report, limit=5)
    console.print(Text(visible(f"written to {written}.*.json")), soft_wrap=True)
    if suspects is not None:
        from tf_finetune.jobs.suspects import find_suspects
        from tf_finetune.reports.suspect_table import render_suspects

        found = find_suspects(opened, arguments.file, suspects, console, load=loaded)
        render_suspects(console, found, limit=_SHOWN)
        console.print(Text(visible(f"written to {found.written}")), soft_wrap=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(run_command(main))
