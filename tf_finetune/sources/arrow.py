"""Arrow files (Feather, IPC files and streams), read a record batch at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tf_finetune.errors import UserError
from tf_finetune.options.data import DataConfig
from tf_finetune.sources.arrow_values import BATCH_BYTES, BATCH_ROWS, CONVERSION_ERRORS
from tf_finetune.sources.file_content import file_chunks
from tf_finetune.sources.record_batches import table_of_batches
from tf_finetune.sources.table import Table

_FILE_MAGIC = b"ARROW1"


def open_arrow(config: DataConfig, source: str, path: Path) -> Table:
    """Reads the schema of an Arrow file; its first bytes tell whether it is a stream.

    Only the columns that the options name are read, as of Parquet. A compressed record batch
    is decompressed as a whole.

    Raises:
        UserError: The file is no Arrow file or names a column twice.
    """
    import pyarrow as pa

    try:
        with _reader(path) as reader:
            schema = reader.schema
    except (pa.ArrowException, OSError, *CONVERSION_ERRORS) as error:
        raise UserError(f"{source}: cannot be read as Arrow: {error}") from error

    def batches(columns: list[str]) -> Iterator[Any]:
        wanted = [index for index, name in enumerate(schema.names) if name in columns]
        with _reader(path, wanted) as reader:
            yield from _batches(reader)

    return table_of_batches(
        config, source, "arrow", schema, batches, content=lambda: file_chunks(path)
    )


@contextmanager
def _reader(path: Path, fields: list[int] | None = None) -> Iterator[Any]:
    """A reader of an IPC file or stream, of all fields or of those with some indices."""
    import pyarrow as pa

    options = pa.ipc.IpcReadOptions(included_fields=fields)
    with pa.memory_map(str(path)) as file:
        start = file.read(len(_FILE_MAGIC))
        file.seek(0)
        open_reader = pa.ipc.open_file if start == _FILE_MAGIC else pa.ipc.open_stream
        with open_reader(file, options=options) as reader:
            yield reader


def _batches(reader: Any) -> Iterator[Any]:
    """Record batches, checked and in slices of as many rows as are converted at once.

    Raises:
        pyarrow.ArrowInvalid: A batch's offsets or texts are not what they should be; reading
            them unchecked would read other memory.
    """
    if hasattr(reader, "num_record_batches"):
        found = (reader.get_batch(index) for index in range(reader.num_record_batches))
    else:
        found = iter(reader)
    for batch in found:
        batch.validate(full=True)
        size = min(BATCH_ROWS, max(1, BATCH_BYTES * batch.num_rows // max(1, batch.nbytes)))
        for start in range(0, batch.num_rows, size):
            yield batch.slice(start, size)
