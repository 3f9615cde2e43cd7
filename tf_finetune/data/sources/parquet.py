"""Parquet files, read a batch of rows at a time."""

from collections import Counter
from collections.abc import Generator
from pathlib import Path

from tf_finetune.config.sections import DataConfig
from tf_finetune.data.sources.file_content import file_chunks
from tf_finetune.data.sources.problems import Problems, show_names
from tf_finetune.data.sources.table import Row, Table
from tf_finetune.errors import UserError

_BATCH_ROWS = 1024


def open_parquet(config: DataConfig, source: str, path: Path) -> Table:
    """Reads the schema of a Parquet file.

    Only the columns that the options name are read; while one has to be inferred, all those
    that could be text or labels are.

    Raises:
        UserError: The file is no Parquet file or names a column twice.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            schema = file.schema_arrow
    except (pa.ArrowException, OSError) as error:
        raise UserError(f"{source}: cannot be read as Parquet: {error}") from error
    columns = tuple(schema.names)
    twice = sorted(name for name, count in Counter(columns).items() if count > 1)
    if twice:
        raise UserError(
            f"{source}: column name {show_names(twice)} occurs more than once; "
            "accepted: distinct column names"
        )
    used = {config.text_column, config.text_pair_column, config.label_column}
    if config.text_column is None or config.label_column is None:
        used = set(columns)
    wanted = [name for name in columns if name in used]

    def rows(problems: Problems) -> Generator[Row, None, None]:
        number = 0
        try:
            with pq.ParquetFile(path, page_checksum_verification=True) as file:
                for batch in file.iter_batches(batch_size=_BATCH_ROWS, columns=wanted):
                    for values in batch.to_pylist():
                        number += 1
                        yield Row(number, values, f"{source}, row {number}")
        except (pa.ArrowException, OSError, UnicodeError) as error:
            problems.stop(f"{source}: cannot be read after row {number}: {error}")

    return Table(
        name=source,
        kind="parquet",
        columns=columns,
        rows=rows,
        content=lambda: file_chunks(path),
    )
