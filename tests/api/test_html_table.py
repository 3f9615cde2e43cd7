"""A table in a notebook is written for people."""

import re

import pandas as pd

from tf_finetune.api.html_table import html_table


def cells(page):
    """What stands in the cells of a table, row by row."""
    return re.findall(r"<td>(.*?)</td>", page)


def test_values_are_written_for_people():
    table = pd.DataFrame(
        {
            "method": ["<b>", None],
            "bytes": [1_234_567, 0],
            "rate": [3e-4, None],
            "score": [0.123456, 1.0],
            "recommended": [True, False],
        }
    )

    assert cells(html_table(table)) == [
        *("&lt;b&gt;", "1,234,567", "0.0003", "0.1235", "✓"),
        *("", "0", "", "1", ""),
    ]


def test_names_of_rows_are_shown_when_they_say_something():
    table = pd.DataFrame({"value": [0.5]}, index=pd.Index(["accuracy"], name="metric"))

    assert "accuracy" in html_table(table, index=True)
    assert "accuracy" not in html_table(table)
