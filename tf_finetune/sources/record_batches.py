"""A table of Arrow's record batches, wherever they come from."""

from collections.abc import Callable, Generator, Iterable, Iterator
from typing import Any

from tf_finetune.options.data import DataConfig
from tf_finetune.sources.arrow_schema import class_names, read_columns
from tf_finetune.sources.arrow_values import CONVERSION_ERRORS, rows_of
from tf_finetune.sources.problems import Problems
from tf_finetune.sources.table import Kind, Row, Table


def table_of_batches(
    config: DataConfig,
    source: str,
    kind: Kind,
    schema: Any,
    batches: Callable[[list[str]], Iterable[Any]],
    content: Callable[[], Iterator[bytes]],
    place: Callable[[int], str] | None = None,
) -> Table:
    """A table whose rows are those of record batches, numbered from 1.

    Args:
        config: The `data` section.
        source: Name of the source, for messages.
        kind: What the source is, as `Table.kind`.
        schema: The pyarrow schema.
        batches: Reads the record batches, of the columns with some names.
        content: As `Table.content`.
        place: What to call a row by its number; None: the source and the number.

    Raises:
        UserError: The schema names a column twice.
    """
    import pyarrow as pa

    columns = read_columns(schema, config, source)
    names = class_names(schema, config)
    named = place or (lambda number: f"{source}, row {number}")

    def rows(problems: Problems) -> Generator[Row, None, None]:
        number = 0
        try:
            for batch in batches(columns.wanted):
                for values in rows_of(batch, names):
                    number += 1
                    yield Row(number, values, named(number))
        except (pa.ArrowException, OSError, *CONVERSION_ERRORS) as error:
            problems.stop(f"{source}: cannot be read after row {number}: {error}")

    return Table(
        name=source,
        kind=kind,
        columns=columns.names,
        rows=rows,
        content=content,
        unusable=columns.unusable,
        structured=columns.structured,
        options={"names": sorted(names.items())},
        label_names=names,
    )
