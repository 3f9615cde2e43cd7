"""Show a data summary as tables on a terminal."""

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tf_finetune.console_tables import print_table
from tf_finetune.data.summary import DataSummary, SplitSummary
from tf_finetune.errors import visible
from tf_finetune.tasks.table import TASKS

CLASSES_SHOWN = 7
NAMES_SHOWN = 5
WARNINGS_SHOWN = 12


def render_summary(summary: DataSummary, console: Console) -> None:
    """Print a summary in at most about 35 lines."""
    tables = [_split_table(summary)]
    if summary.label_names:
        tables.append(_class_table(summary))
    elif _are_numbers(summary):
        tables.append(_target_table(summary))
    for table in tables:
        print_table(console, table)
        console.print()
    console.print(Text(visible(f"task: {_task(summary)}")), soft_wrap=True)
    for warning in summary.warnings[:WARNINGS_SHOWN]:
        console.print(Text(visible(f"! {warning}"), style="yellow"), soft_wrap=True)
    more = len(summary.warnings) - WARNINGS_SHOWN
    if more > 0:
        console.print(Text(f"! and {more} more warnings", style="yellow"))


def _task(summary: DataSummary) -> str:
    """What is predicted, and the first of the names."""
    names = summary.label_names
    if not names:
        kind = "1 output, a number" if _are_numbers(summary) else TASKS[summary.task].answer_kind
        return f"{summary.task}, {kind}"
    noun = TASKS[summary.task].nouns[1]
    more = f" and {len(names) - NAMES_SHOWN:,} more" if len(names) > NAMES_SHOWN else ""
    return f"{summary.task}, {len(names):,} {noun}: {', '.join(names[:NAMES_SHOWN])}{more}"


def _are_numbers(summary: DataSummary) -> bool:
    return any(split.target_range is not None for split in summary.splits)


def _split_table(summary: DataSummary) -> Table:
    title = "examples, and lengths of their whole texts in tokens"
    table = _table("split", "rows", "50 %", "90 %", "99 %", "max", "truncated", "duplicates")
    table.title, table.title_justify = title, "left"
    for split in summary.splits:
        lengths = (split.length_p50, split.length_p90, split.length_p99, split.length_max)
        cells = [split.name, f"{split.rows:,}", *map(str, lengths)]
        table.add_row(*cells, f"{split.truncated_share:.1%}", f"{split.duplicates:,}")
    return table


def _target_table(summary: DataSummary) -> Table:
    table = _table("targets", "least", "mean", "greatest")
    for split in summary.splits:
        table.add_row(split.name, *(f"{value:.4g}" for value in split.target_range or ()))
    return table


def _class_table(summary: DataSummary) -> Table:
    noun, several = TASKS[summary.task].nouns[0], TASKS[summary.task].answers_each_read
    table = _table(noun, *(split.name for split in summary.splits))
    # Commonest first: of many classes the rare ones are left out.
    counts = summary.splits[0].class_counts
    by_count = sorted(range(len(counts)), key=lambda index: -counts[index])
    for index in by_count[:CLASSES_SHOWN]:
        cells = [_count_and_share(one, index, several=several) for one in summary.splits]
        table.add_row(Text(summary.label_names[index]), *cells)
    if len(by_count) > CLASSES_SHOWN:
        table.add_row(f"and {len(by_count) - CLASSES_SHOWN} more")
    return table


def _count_and_share(split: SplitSummary, index: int, *, several: bool) -> str:
    """How many there are; of what an example may have several of there is no share."""
    count = split.class_counts[index]
    return f"{count:,}" if several else f"{count:,} ({count / split.rows:.0%})"


def _table(first: str, *others: str) -> Table:
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False)
    table.add_column(first, no_wrap=True, overflow="ellipsis")
    for name in others:
        table.add_column(name, justify="right", no_wrap=True)
    return table
