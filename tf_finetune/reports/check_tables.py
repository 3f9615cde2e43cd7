"""What checks found as tables in a terminal."""

from itertools import groupby

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tf_finetune.console_tables import print_table
from tf_finetune.reports.console import SHOWN_CHARACTERS, user_text
from tf_finetune.robustness.results import CheckReport, CheckResult
from tf_finetune.tasks.metrics import METRICS


def render_checks(console: Console, report: CheckReport) -> None:
    """Prints how often each check failed, and the score of each slice.

    Args:
        console: Where to print.
        report: What was found.
    """
    _print_shares(console, report)
    notes = [one for one in report.checks if one.note]
    for one in notes:
        console.print(user_text(f"{one.name}: {one.note}"), soft_wrap=True)
    if report.shift is not None:
        console.print(user_text(report.shift.sentence, style="bold"), soft_wrap=True)
    for column, parts in groupby(report.slices, key=lambda one: one.column):
        title = METRICS[report.metric].title
        table = _table(f"{title} by {column}")
        table.add_column("part")
        for heading in ("texts", title, f"{100 * report.confidence:g} % interval"):
            table.add_column(heading, justify="right")
        for part in parts:
            low, high = part.score["low"], part.score["high"]
            table.add_row(
                user_text(part.name, SHOWN_CHARACTERS),
                f"{part.n:,}",
                f"{part.score['value']:.4f}",
                f"{low:.4f} to {high:.4f}",
                style="bold" if part.below else "",
            )
        print_table(console, table)


def _print_shares(console: Console, report: CheckReport) -> None:
    failed = {one.name for one in report.failed}
    drawn = f" (drawn of {report.of:,})" if report.n < report.of else ""
    table = _table(f"{report.source}: {report.n:,} texts{drawn}")
    table.add_column("check")
    table.add_column("kind")
    for heading in ("changed", "failed", "share", f"{100 * report.confidence:g} % interval"):
        table.add_column(heading, justify="right")
    for one in report.checks:
        if not one.note:
            style = "bold red" if one.name in failed else "" if one.decides else "dim"
            table.add_row(*_cells(one), style=style)
    if table.rows:
        print_table(console, table)


def _cells(one: CheckResult) -> tuple[Text, str, str, str, str, str]:
    share = one.share
    return (
        user_text(one.name, SHOWN_CHARACTERS),
        one.kind.replace("_", " "),
        f"{share.n:,}",
        f"{share.failed:,}",
        f"{100 * (share.value or 0):.1f} %",
        f"{100 * share.low:.1f} to {100 * share.high:.1f} %",
    )


def _table(title: str) -> Table:
    heading = user_text(title, style="bold")
    return Table(title=heading, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
