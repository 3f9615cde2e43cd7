"""Tables that fit the console without losing a digit.

Rich cuts what does not fit, numbers too. Here columns are narrowed as far as their longest word
allows, where only long names are broken; then the frame goes, then the space between columns; and
what is still too wide is cut into tables below each other, each with the first column.
"""

from collections.abc import Iterator, Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

_UNBOUNDED = 100_000
_FOLDED = 16  # characters a line, at least, of paths and names


def print_table(console: Console, table: Table) -> None:
    """Prints a table, narrower or in parts where it is wider than the console.

    Args:
        console: Where to print.
        table: The table, its columns of numbers justified to the right.
    """
    for part in _fitting(console, table):
        console.print(part)


def _fitting(console: Console, table: Table) -> Iterator[Table]:
    if _narrowed(console, table):
        yield table
        return
    table.box, table.show_edge, table.pad_edge = SIMPLE_HEAD, False, False
    columns = range(len(table.columns))
    if _narrowed(console, table) or len(columns) < 3:
        yield table
        return
    padding, table.padding = table.padding, 0
    if _narrowed(console, table):
        yield table
        return
    table.padding = padding
    first, *others = columns
    taken: list[int] = []
    for column in others:
        if taken and not _narrowed(console, _part(table, [first, *taken, column])):
            yield _finished(console, table, [first, *taken], is_first=taken[0] == 1)
            taken = []
        taken.append(column)
    yield _finished(console, table, [first, *taken], is_first=taken[0] == 1)


def _finished(console: Console, table: Table, columns: Sequence[int], *, is_first: bool) -> Table:
    part = _part(table, columns)
    _narrowed(console, part)
    part.title = table.title if is_first else None
    return part


def _part(table: Table, columns: Sequence[int]) -> Table:
    """A table of some of the columns."""
    part = Table(
        box=table.box,
        show_edge=table.show_edge,
        pad_edge=table.pad_edge,
        padding=table.padding,
        title_justify=table.title_justify,
    )
    chosen = [table.columns[index] for index in columns]
    for column in chosen:
        part.add_column(
            column.header,
            justify=column.justify,
            style=column.style,
            overflow=column.overflow,
            no_wrap=column.no_wrap,
            max_width=column.max_width,
        )
    cells = [list(column.cells) for column in chosen]
    for number, row in enumerate(table.rows):
        part.add_row(*(values[number] for values in cells), style=row.style)
    return part


def _narrowed(console: Console, table: Table) -> bool:
    """Narrows columns as far as the table needs it; False if that is not enough."""
    options = console.options.update(width=_UNBOUNDED, max_width=_UNBOUNDED)
    least, natural = [], []
    for number, column in enumerate(table.columns):
        sizes = [Measurement.get(console, options, cell) for cell in (column.header, *column.cells)]
        whole = max(size.maximum for size in sizes)
        is_kept = column.no_wrap or number == 0  # the first names the row
        longest = whole if is_kept else max(size.minimum for size in sizes)
        if column.max_width is not None:
            whole, longest = min(whole, column.max_width), min(longest, column.max_width)
        if column.justify != "right" and longest > _FOLDED:
            longest, column.overflow = _FOLDED, "fold"
        least.append(longest)
        natural.append(whole)
    for column in table.columns:
        column.width = None
    frame = Measurement.get(console, options, table).maximum - sum(natural)
    excess = sum(natural) + frame - console.width
    if excess <= 0:
        return True
    if sum(least) + frame > console.width:
        return False
    widths = natural
    for _ in range(excess):
        widest = max(range(len(widths)), key=lambda index: widths[index] - least[index])
        widths[widest] -= 1
    for column, width in zip(table.columns, widths, strict=True):
        column.width = width
    return True
