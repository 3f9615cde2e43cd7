"""Columns of a source beside texts and labels, such as where a text comes from."""

from collections.abc import Sequence

from tf_finetune.options.data import DataConfig
from tf_finetune.sources.column_options import COLUMN_OPTIONS
from tf_finetune.sources.opening import open_table
from tf_finetune.sources.problems import Problems
from tf_finetune.sources.table import Table


def columns_of(config: DataConfig, source: str, split: str) -> tuple[str, ...]:
    """Names of the columns of a source.

    Args:
        config: The `data` section.
        source: The source, written as `data.test`.
        split: For a source of several splits.

    Raises:
        UserError: It cannot be opened.
    """
    table = _whole_table(config, source, split)
    return tuple(name for name in table.columns if name not in table.unusable)


def values_of_rows(
    config: DataConfig, source: str, split: str, names: Sequence[str], rows: Sequence[int]
) -> dict[str, list[object]]:
    """What stands in some columns of some rows.

    Args:
        config: The `data` section.
        source: The source.
        split: For a source of several splits.
        names: The columns.
        rows: Their numbers, as `Record.row` has them.

    Returns:
        By column the value of each row, in their order.

    Raises:
        UserError: The source cannot be read.
    """
    if not names:
        return {}
    wanted, problems = set(rows), Problems()
    found = {
        row.number: [row.values.get(name) for name in names]
        for row in _whole_table(config, source, split).rows(problems)
        if row.number in wanted
    }
    problems.check()
    nothing: list[object] = [None] * len(names)
    return {
        name: [found.get(row, nothing)[place] for row in rows] for place, name in enumerate(names)
    }


def _whole_table(config: DataConfig, source: str, split: str) -> Table:
    """The source with all its columns: where options name some, only these may be read."""
    config = config.model_copy(update=dict.fromkeys(COLUMN_OPTIONS))
    return open_table(config, source, split=split)
