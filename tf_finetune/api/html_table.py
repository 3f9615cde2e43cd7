"""A table as a notebook shows it."""

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


def html_table(table: "pd.DataFrame", *, index: bool = False) -> str:
    """The table as HTML that is narrow enough to be read, and scrolls where it is not.

    Whole numbers have separators, others four places or digits; what is missing or does not hold
    is empty.

    Args:
        table: The table.
        index: Whether the names of its rows are shown.
    """
    page = table.map(_written).to_html(index=index, border=0)
    return f'<div style="overflow-x:auto">{page}</div>'


def _written(value: Any) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, bool):
        return "✓" if value else ""
    if isinstance(value, int):
        return f"{value:,}"
    if not isinstance(value, float):
        return str(value)
    is_share = 0.001 <= abs(value) < 1  # scores below each other end in the same place
    return f"{value:.4f}" if is_share else f"{value:.4g}"
