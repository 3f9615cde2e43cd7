"""Shows what would be trained and what that costs; without examples, no weights are loaded.

Examples:
    python -m trainers.plan freeze.depth=4
    python -m trainers.plan reviews.csv freeze.depth=4
"""

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.text import Text

from tf_finetune.errors import visible
from tf_finetune.jobs.plan import forecast_cache, plan
from tf_finetune.reports.plan_tables import render_costs, render_phases, render_plan, render_rows
from trainers.arguments import load_arguments, parse_arguments, whole_number
from trainers.cli import run_command


def main(argv: Sequence[str]) -> int:
    """Prints the freeze plan and the price of every depth; returns the exit code."""
    arguments = parse_arguments("plan", argv)
    config = load_arguments(arguments)
    console = Console()
    num_labels = whole_number("--num-labels", arguments.num_labels, positive=True)
    planned = plan(config, num_labels)

    files = planned.files
    _print_user_lines(console, [f"encoder {files.name}, {num_labels} outputs"])
    for line in files.lines():
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    if arguments.rows:
        render_rows(console, planned.spec.plan)
    else:
        render_plan(console, planned.spec.plan)
    for line in planned.notes:
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    render_costs(console, planned.depths, **planned.step, highlighted=planned.configured)
    render_phases(console, planned.phases, **planned.step)
    console.print("formulas: docs/arithmetic.md", highlight=False)
    if arguments.file is not None:
        _print_user_lines(console, forecast_cache(planned.config, files))
    return 0


def _print_user_lines(console: Console, lines: Iterable[str]) -> None:
    """Prints lines in which a user's own words may stand."""
    for line in lines:
        console.print(Text(visible(line)), soft_wrap=True)


if __name__ == "__main__":
    raise SystemExit(run_command(main))
