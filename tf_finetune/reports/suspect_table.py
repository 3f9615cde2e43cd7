"""Suspect labels as a table in a terminal."""

from rich import box
from rich.console import Console
from rich.table import Table

from tf_finetune.console_tables import print_table
from tf_finetune.evaluation.suspects import Suspects
from tf_finetune.reports.console import ANSWER_WIDTH, SHOWN_CHARACTERS, user_text


def render_suspects(console: Console, found: Suspects, limit: int) -> None:
    """Prints how many labels are suspect, and the likeliest of them.

    Args:
        console: Where to print.
        found: What was found.
        limit: The most to print.
    """
    console.print(user_text(found.summary, style="bold"), soft_wrap=True)
    if not found.listed:
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("row", justify="right")
    for heading in ("label", "suggested"):
        table.add_column(heading, max_width=ANSWER_WIDTH)
    for heading in ("prob.", "suggested's"):
        table.add_column(heading, justify="right")
    table.add_column("text", overflow="fold")
    for one in found.listed[:limit]:
        text = user_text(one.text, SHOWN_CHARACTERS)
        if one.text_pair is not None:
            text.append("\n").append_text(user_text(one.text_pair, SHOWN_CHARACTERS))
        table.add_row(
            str(one.row),
            user_text(one.label, SHOWN_CHARACTERS),
            user_text(one.suggested, SHOWN_CHARACTERS),
            f"{one.probability:.2f}",
            f"{one.probability_suggested:.2f}",
            text,
        )
    print_table(console, table)
