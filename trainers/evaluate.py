"""Scores a trained model on its own test split or on another labelled file.

Example:
    python -m trainers.evaluate runs/reviews-depth4 new_reviews.csv
"""

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from tf_finetune.errors import visible
from trainers.arguments import parse_arguments
from trainers.cli import run_command
from trainers.trained_run import open_trained_run


def main(argv: Sequence[str]) -> int:
    """Prints every metric with its interval and writes them to the run; returns the exit code."""
    arguments = parse_arguments("evaluate", argv)
    console = Console()
    opened = open_trained_run(arguments)

    from tf_finetune.jobs.evaluate import evaluate
    from tf_finetune.reports.console import render_metrics, render_mistakes, render_per_class

    report, written = evaluate(opened, arguments.file, console)
    if opened.description:
        console.print(Text(visible(f"{opened.run.path}: {opened.description}")), soft_wrap=True)
    render_metrics(console, report)
    render_per_class(console, report)
    render_mistakes(console, report, limit=5)
    console.print(Text(visible(f"written to {written}.*.json")), soft_wrap=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(run_command(main))
