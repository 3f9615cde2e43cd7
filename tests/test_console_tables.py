"""Tables fit the console, and no number is cut."""

import io

import pytest
from rich.console import Console
from rich.table import Table

from tf_finetune.console_tables import print_table

NAME = "bert/encoder/layer_0/attention/self/query/kernel"


def build(columns=8, name="layer 0"):
    table = Table("place", title="What trains")
    for number in range(columns):
        table.add_column(f"feed forward {number}", justify="right")
    for row in range(3):
        table.add_row(f"{name} {row}", *(f"{10**7 * (row + 1) + n:,}" for n in range(columns)))
    return table


def printed(table, width):
    stream = io.StringIO()
    print_table(Console(file=stream, width=width), table)
    return stream.getvalue()


def test_table_that_fits_is_printed_as_it_is():
    stream = io.StringIO()
    Console(file=stream, width=200).print(build())

    assert printed(build(), 200) == stream.getvalue()


@pytest.mark.parametrize("width", [100, 80, 60, 40])
@pytest.mark.parametrize("columns", [1, 3, 5, 8])
def test_every_number_is_whole_and_no_line_is_longer(width, columns):
    text = printed(build(columns), width)

    assert max(map(len, text.splitlines())) <= width
    assert "…" not in text
    numbers = [f"{10**7 * row + n:,}" for row in (1, 2, 3) for n in range(columns)]
    assert sorted(word for word in text.split() if "," in word) == sorted(numbers)
    assert text.count("What trains") == 1


def test_each_part_of_a_split_table_begins_with_the_first_column():
    lines = printed(build(), 40).splitlines()

    heads = [line for line in lines if line.startswith("place")]
    assert len(heads) > 1
    assert sum(line.startswith("layer 0 2") for line in lines) == len(heads)


def test_columns_move_together_before_a_table_is_cut():
    assert [printed(build(5), width).count("layer 0 1") for width in (64, 62)] == [1, 2]


def test_long_names_are_broken_and_not_cut():
    text = printed(build(4, name=NAME), 80)

    assert "…" not in text
    assert NAME in "".join(line.split("  ")[0].strip("│ ") for line in text.splitlines())


def test_column_that_must_not_wrap_is_kept_whole():
    table = Table("depth")
    for _ in range(4):
        table.add_column("95% interval", justify="right", no_wrap=True)
    table.add_row("1", *["0.333 to 1.000"] * 4)

    assert printed(table, 50).count("0.333 to 1.000") == 4
