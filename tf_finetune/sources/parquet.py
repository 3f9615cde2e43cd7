"""Parquet files, read a batch of rows at a time."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tf_finetune.errors import UserError
from tf_finetune.options.data import DataConfig
from tf_finetune.sources.arrow_values import BATCH_BYTES, BATCH_ROWS
from tf_finetune.sources.file_content import file_chunks
from tf_finetune.sources.record_batches import table_of_batches
from tf_finetune.sources.table import Table


def open_parquet(config: DataConfig, source: str, path: Path) -> Table:
    """Reads the schema of a Parquet file.

    Only the columns that the options name are read; while one has to be inferred, all those
    whose type could be that of texts or labels are (see `arrow_values.is_usable`).

    Raises:
        UserError: The file is no Parquet file or names a column twice.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            schema = file.schema_arrow
            leaves = [file.schema.column(number) for number in range(len(file.schema))]
            texts = [leaf.path for leaf in leaves if leaf.physical_type == "BYTE_ARRAY"]
    except (pa.ArrowException, OSError, UnicodeError) as error:
        raise UserError(f"{source}: cannot be read as Parquet: {error}") from error

    def batches(columns: list[str]) -> Iterator[Any]:
        # Texts stay as they are in the file, each once: a text of megabytes that a
        # thousand rows refer to would be copied a thousand times else.
        with pq.ParquetFile(path, page_checksum_verification=True, read_dictionary=texts) as file:
            yield from _batches(file, columns)

    return table_of_batches(
        config, source, "parquet", schema, batches, content=lambda: file_chunks(path)
    )


def _batches(file: Any, columns: list[str]) -> Iterator[Any]:
    """Record batches of the columns; of rows that are large on average, fewer at once."""
    for group in range(file.metadata.num_row_groups):
        about = file.metadata.row_group(group)
        row_bytes = max(1, about.total_byte_size // max(1, about.num_rows))
        size = min(BATCH_ROWS, max(1, BATCH_BYTES // row_bytes))
        for batch in file.iter_batches(batch_size=size, row_groups=[group], columns=columns):
            yield batch.select(columns)  # Arrow takes "text.x" to be a part of "text"
