"""Parquet files, read a batch of rows at a time."""

import itertools
from collections import Counter
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

from tf_finetune.config.sections import DataConfig
from tf_finetune.data.sources.file_content import file_chunks
from tf_finetune.data.sources.parquet_values import is_usable, values_of
from tf_finetune.data.sources.problems import Problems, show_names
from tf_finetune.data.sources.table import Row, Table
from tf_finetune.errors import UserError

_BATCH_ROWS = 1024
_BATCH_BYTES = 64 * 2**20
# What turning Arrow's values into Python's raises beside its own errors: bytes that are no
# UTF-8 (a ValueError), numbers that are out of a type's range.
_CONVERSION_ERRORS = (ValueError, ArithmeticError, TypeError)


def open_parquet(config: DataConfig, source: str, path: Path) -> Table:
    """Reads the schema of a Parquet file.

    Only the columns that the options name are read; while one has to be inferred, all those
    whose type could be that of texts or labels are (see `parquet_values.is_usable`).

    Raises:
        UserError: The file is no Parquet file or names a column twice.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            schema = file.schema_arrow
            columns = tuple(schema.names)
            unusable = {field.name: str(field.type) for field in schema if not is_usable(field)}
            leaves = [file.schema.column(number) for number in range(len(file.schema))]
            texts = [leaf.path for leaf in leaves if leaf.physical_type == "BYTE_ARRAY"]
    except (pa.ArrowException, OSError, UnicodeError) as error:
        raise UserError(f"{source}: cannot be read as Parquet: {error}") from error
    twice = sorted(name for name, count in Counter(columns).items() if count > 1)
    if twice:
        raise UserError(
            f"{source}: column name {show_names(twice)} occurs more than once; "
            "accepted: distinct column names"
        )
    used = {config.text_column, config.text_pair_column, config.label_column}
    if config.text_column is None or config.label_column is None:
        used = set(columns)
    wanted = [name for name in columns if name in used and name not in unusable]

    def rows(problems: Problems) -> Generator[Row, None, None]:
        number = 0
        try:
            # Texts stay as they are in the file, each once: a text of megabytes that a
            # thousand rows refer to would be copied a thousand times else.
            with pq.ParquetFile(
                path, page_checksum_verification=True, read_dictionary=texts
            ) as file:
                for batch in _batches(file, wanted):
                    for values in _converted(batch):
                        number += 1
                        yield Row(number, values, f"{source}, row {number}")
        except (pa.ArrowException, OSError, *_CONVERSION_ERRORS) as error:
            problems.stop(f"{source}: cannot be read after row {number}: {error}")

    return Table(
        name=source,
        kind="parquet",
        columns=columns,
        rows=rows,
        content=lambda: file_chunks(path),
        unusable=unusable,
    )


def _batches(file: Any, columns: list[str]) -> Iterator[Any]:
    """Record batches of the columns; of rows that are large on average, fewer at once."""
    for group in range(file.metadata.num_row_groups):
        about = file.metadata.row_group(group)
        row_bytes = max(1, about.total_byte_size // max(1, about.num_rows))
        size = min(_BATCH_ROWS, max(1, _BATCH_BYTES // row_bytes))
        for batch in file.iter_batches(batch_size=size, row_groups=[group], columns=columns):
            yield batch.select(columns)  # Arrow takes "text.x" to be a part of "text"


def _converted(batch: Any) -> Iterator[dict[str, object]]:
    """Rows as Python values; those before one that cannot be converted still come."""
    import pyarrow as pa

    try:
        columns = [values_of(column) for column in batch.columns]
    except (pa.ArrowException, *_CONVERSION_ERRORS):
        if batch.num_rows == 1:
            raise
        for row in range(batch.num_rows):
            yield from _converted(batch.slice(row, 1))
        return
    names = batch.schema.names
    for values in zip(*columns, strict=True) if columns else itertools.repeat((), batch.num_rows):
        yield dict(zip(names, values, strict=True))
