"""Tokenise records into a token store, a chunk at a time, so that memory stays flat."""

import copy
import hashlib
import os
from collections.abc import Callable, Iterable
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from tf_finetune.data.chunks import in_chunks
from tf_finetune.data.records import Record
from tf_finetune.data.sources.problems import Problems, show
from tf_finetune.data.token_store_files import sync_to_disk
from tf_finetune.errors import UserError

# Rows tokenised at once (of long texts fewer, see `in_chunks`), and a record batch of the file.
# Until a chunk is done the tokenizer also holds the tokens that it truncates.
BATCH_ROWS = 2048

_LABEL_TYPES = {str: pa.string(), tuple: pa.list_(pa.string()), float: pa.float64()}


def truncating_tokenizer(tokenizer: Any, max_length: int) -> Any:
    """A copy of a fast tokenizer's backend that truncates as `tokenizer(..., truncation=True)`.

    Raises:
        UserError: If the tokenizer is not a fast one.
    """
    if not getattr(tokenizer, "is_fast", False):
        raise UserError(
            f"encoder.name: {tokenizer.name_or_path} has no fast tokenizer, only "
            f"{type(tokenizer).__name__}; accepted: an encoder with a tokenizer.json or vocab.txt"
        )
    backend = copy.deepcopy(tokenizer.backend_tokenizer)
    backend.no_padding()
    backend.enable_truncation(
        max_length, strategy="longest_first", direction=tokenizer.truncation_side
    )
    return backend


def write_tokens(
    path: Path,
    records: Iterable[Record],
    backend: Any,
    *,
    source: str,
    advance: Callable[[int], None],
) -> int:
    """Tokenise records into an Arrow IPC file and flush it to the disk.

    Args:
        path: The new file.
        records: Labelled examples; at most `BATCH_ROWS` are held at once.
        backend: What `truncating_tokenizer` gives.
        source: Name of the source, for messages.
        advance: Called with the number of rows after each chunk.

    Returns:
        Number of rows, at least 1.

    Raises:
        UserError: If there are no records, or their labels differ in kind.
    """
    # A process that has forked before would tokenise on one core otherwise.
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")
    chunks = in_chunks(records, BATCH_ROWS)
    chunk = next(chunks, [])
    if not chunk:
        raise UserError(f"{source}: holds no examples; accepted: at least one")
    first = chunk[0]
    schema = _schema(type(first.label), backend)
    rows = 0
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, schema) as writer:
        while chunk:
            _check_label_kinds(chunk, first, source)
            writer.write_batch(_encode(chunk, backend, schema))
            rows += len(chunk)
            advance(len(chunk))
            chunk = next(chunks, [])
    sync_to_disk(path)
    return rows


def _schema(label_kind: type, backend: Any) -> pa.Schema:
    highest_id = max(backend.get_vocab(with_added_tokens=True).values())
    id_type = pa.uint16() if highest_id <= np.iinfo(np.uint16).max else pa.int32()
    return pa.schema(
        [
            pa.field("row", pa.int64(), nullable=False),
            pa.field("text", pa.large_string(), nullable=False),
            pa.field("text_pair", pa.large_string()),
            pa.field("label", _LABEL_TYPES[label_kind], nullable=False),
            pa.field("token_ids", pa.list_(id_type), nullable=False),
            pa.field("first_length", pa.int32(), nullable=False),
            pa.field("truncated", pa.bool_(), nullable=False),
            pa.field("text_hash", pa.uint64(), nullable=False),
        ]
    )


def _check_label_kinds(chunk: list[Record], first: Record, source: str) -> None:
    problems = Problems()
    for record in chunk:
        if type(record.label) is not type(first.label):
            problems.add(
                f"{source}, row {record.row}: received the label {show(record.label)}; accepted: "
                f"the same kind of label as {show(first.label)} in row {first.row}"
            )
    problems.check()


def _encode(chunk: list[Record], backend: Any, schema: pa.Schema) -> pa.RecordBatch:
    encodings = backend.encode_batch_fast(
        [r.text if r.text_pair is None else (r.text, r.text_pair) for r in chunk]
    )
    ids = [encoding.ids for encoding in encodings]
    offsets = np.cumsum([0, *map(len, ids)], dtype=np.int32)
    id_type = schema.field("token_ids").type.value_type
    flat = np.fromiter(chain.from_iterable(ids), id_type.to_pandas_dtype(), offsets[-1])
    columns = {
        "row": [r.row for r in chunk],
        "text": [r.text for r in chunk],
        "text_pair": [r.text_pair for r in chunk],
        "label": [r.label for r in chunk],
        "token_ids": pa.ListArray.from_arrays(offsets, flat),
        "first_length": [_first_length(encoding.type_ids) for encoding in encodings],
        "truncated": [len(encoding.overflowing) > 0 for encoding in encodings],
        "text_hash": [_text_hash(r) for r in chunk],
    }
    return pa.RecordBatch.from_pydict(columns, schema=schema)


def _first_length(type_ids: list[int]) -> int:
    return type_ids.index(1) if 1 in type_ids else len(type_ids)


def _text_hash(record: Record) -> int:
    # NUL keeps ("ab", "c") and ("a", "bc") apart.
    joined = record.text if record.text_pair is None else f"{record.text}\0{record.text_pair}"
    return int.from_bytes(hashlib.blake2b(joined.encode(), digest_size=8).digest(), "little")
