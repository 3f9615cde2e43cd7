"""A table of Arrow's record batches, whatever file they come from."""

from collections.abc import Callable, Generator, Iterable
from pathlib import Path
from typing import Any

from tf_finetune.options.data import DataConfig
from tf_finetune.sources.arrow_schema import class_names, read_columns
from tf_finetune.sources.arrow_values import CONVERSION_ERRORS, rows_of
from tf_finetune.sources.file_content import file_chunks
from tf_finetune.sources.problems import Problems
from tf_finetune.sources.table import Kind, Row, Table


def table_of_batches(
    config: DataConfig,
    source: str,
    path: Path,
    kind: Kind,
    schema: Any,
    batches: Callable[[list[str]], Iterable[Any]],
) -> Table:
    """A table whose rows are those of record batches, numbered from 1.

    Args:
        config: The `data` section.
        source: Name of the source, for messages.
        path: The file.
        kind: What the file is, as `Table.kind`.
        schema: The file's pyarrow schema.
        batches: Reads the record batches, of the columns with some names.

    Raises:
        UserError: The file names a column twice.
    """
    import pyarrow as pa

    columns = read_columns(schema, config, source)
    names = class_names(schema, config)

    def rows(problems: Problems) -> Generator[Row, None, None]:
        number = 0
        try:
            for batch in batches(columns.wanted):
                for values in rows_of(batch, names):
                    number += 1
                    yield Row(number, values, f"{source}, row {number}")
        except (pa.ArrowException, OSError, *CONVERSION_ERRORS) as error:
            problems.stop(f"{source}: cannot be read after row {number}: {error}")

    return Table(
        name=source,
        kind=kind,
        columns=columns.names,
        rows=rows,
        content=lambda: file_chunks(path),
        unusable=columns.unusable,
        options={"names": sorted(names.items())},
        label_names=names,
    )
