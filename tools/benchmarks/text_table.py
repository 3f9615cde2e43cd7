"""Aligned columns of text for a terminal."""

from collections.abc import Collection


def render_table(rows: list[list[str]], left: Collection[int] = ()) -> list[str]:
    """Lines of a table with a rule under its first row.

    Args:
        rows: Cells of each row, the header first; all rows have as many.
        left: Columns aligned to the left; the others are numbers.
    """
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = [
        "  ".join(
            cell.ljust(width) if i in left else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    lines.insert(1, "-" * max(map(len, lines)))
    return lines
