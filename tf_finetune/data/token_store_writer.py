"""Tokenise records into a token store, a chunk at a time, so that memory stays flat."""

import copy
import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from tf_finetune.data.chunks import in_chunks
from tf_finetune.data.task_row_columns import FIELDS, MakeRows, rows_of_examples, task_columns
from tf_finetune.data.token_store_files import sync_to_disk
from tf_finetune.errors import UserError
from tf_finetune.sources.problems import Problems, show
from tf_finetune.sources.records import Record

# Rows tokenised at once (of long texts fewer, see `in_chunks`), and a record batch of the file.
# Until a chunk is done the tokenizer also holds the tokens that are cut off.
BATCH_ROWS = 2048
UNKNOWN_EXAMPLES = 3
_EXAMPLE_CHARACTERS = 20


class Written(NamedTuple):
    """What was written: see `Manifest`."""

    rows: int
    marking_tokens: int
    unknown_examples: list[str]


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
    unknown_id: int | None,
    typed: bool = True,
    make_rows: MakeRows | None = None,
    source: str,
    advance: Callable[[int], None],
) -> Written:
    """Tokenise records into an Arrow IPC file and flush it to the disk.

    Args:
        path: The new file.
        records: Labelled examples; at most `BATCH_ROWS` are held at once.
        backend: What `truncating_tokenizer` gives.
        unknown_id: The token that stands for what the tokenizer does not know; None if it knows
            everything.
        typed: Whether the second text of a pair has a token type of its own.
        make_rows: Makes the rows of examples, where the task does that itself; None: each example
            is a row, of which one state is read.
        source: Name of the source, for messages.
        advance: Called with the number of rows after each chunk.

    Returns:
        The number of rows, at least 1, and examples of what is unknown.

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
    schema = _schema(type(first.label), backend, FIELDS if make_rows else ())
    tokens = _Tokens(backend, unknown_id, typed)
    checked = _checked(chain([chunk], chunks), first, source)
    rows = 0
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, schema) as writer:
        batches: Iterator[pa.RecordBatch]
        if make_rows is None:
            batches = (_encode(chunk, tokens, schema) for chunk in checked)
        else:
            batches = _encoded_rows(checked, make_rows, tokens, schema)
        for batch in batches:
            writer.write_batch(batch)
            rows += batch.num_rows
            advance(batch.num_rows)
    sync_to_disk(path)
    marking = backend.num_special_tokens_to_add(first.text_pair is not None)
    return Written(rows, marking, tokens.unknown_examples)


def _schema(label_kind: type, backend: Any, further: tuple[pa.Field, ...]) -> pa.Schema:
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
            pa.field("whole_length", pa.int32(), nullable=False),
            pa.field("unknown", pa.int32(), nullable=False),
            pa.field("text_hash", pa.uint64(), nullable=False),
            *further,
        ]
    )


def _checked(chunks: Iterable[list[Record]], first: Record, source: str) -> Iterator[list[Record]]:
    """The same chunks, each held against the kind of label that the first record has."""
    for chunk in chunks:
        _check_label_kinds(chunk, first, source)
        yield chunk


def _check_label_kinds(chunk: list[Record], first: Record, source: str) -> None:
    problems = Problems()
    for record in chunk:
        if type(record.label) is not type(first.label):
            problems.add(
                f"{source}, row {record.row}: received the label {show(record.label)}; accepted: "
                f"the same kind of label as {show(first.label)} in row {first.row}"
            )
    problems.check()


class _Tokens:
    """Tokenises texts whole, so that their lengths are known, and then cuts them.

    Args:
        backend: What `truncating_tokenizer` gives.
        unknown_id: As for `write_tokens`.
        typed: The same.

    Attributes:
        typed: As given.
        unknown_examples: Up to `UNKNOWN_EXAMPLES` distinct pieces of text that are unknown.
    """

    def __init__(self, backend: Any, unknown_id: int | None, typed: bool):
        self._cutting, self._unknown_id, self.typed = backend, unknown_id, typed
        self._whole = copy.deepcopy(backend)
        self._whole.no_truncation()
        self.unknown_examples: list[str] = []

    def cut(self, chunk: list[Record]) -> tuple[list[Any], list[int]]:
        """The encodings of records as the model gets them, and the lengths of the whole ones."""
        pairs = [record.text_pair for record in chunk if record.text_pair is not None]
        texts = [record.text for record in chunk] + pairs
        encodings = self._whole.encode_batch_fast(texts, add_special_tokens=False)
        seconds = iter(encodings[len(chunk) :])
        cut, lengths = [], []
        for record, first in zip(chunk, encodings, strict=False):
            second = None if record.text_pair is None else next(seconds)
            cut.append(self._cutting.post_process(first, second))
            special = self._cutting.num_special_tokens_to_add(second is not None)
            lengths.append(len(first) + (0 if second is None else len(second)) + special)
        return cut, lengths

    def first_lengths(self, types: Sequence[Sequence[int]]) -> list[int]:
        """Tokens of each record before the first of the second type."""
        return [t.index(1) if self.typed and 1 in t else len(t) for t in types]

    def unknown(self, chunk: list[Record], ids: Sequence[Sequence[int]]) -> list[int]:
        """The number of unknown tokens of each record, as it was cut."""
        if self._unknown_id is None:
            return [0] * len(chunk)
        counts = [of_record.count(self._unknown_id) for of_record in ids]
        for record, count in zip(chunk, counts, strict=True):
            if len(self.unknown_examples) >= UNKNOWN_EXAMPLES:
                break
            if count:
                self._add_examples(record)
        return counts

    def _add_examples(self, record: Record) -> None:
        for text in (record.text, record.text_pair):
            found = self._cutting.encode(text or "")
            for token, (start, end) in zip(found.ids, found.offsets, strict=True):
                piece = (text or "")[start:end][:_EXAMPLE_CHARACTERS]
                if token == self._unknown_id and piece not in self.unknown_examples:
                    self.unknown_examples.append(piece)
        del self.unknown_examples[UNKNOWN_EXAMPLES:]


def _encode(chunk: list[Record], tokens: _Tokens, schema: pa.Schema) -> pa.RecordBatch:
    encodings, whole_lengths = tokens.cut(chunk)
    ids = [encoding.ids for encoding in encodings]
    columns = _columns(chunk, ids, tokens, schema) | {
        "first_length": tokens.first_lengths([encoding.type_ids for encoding in encodings]),
        "whole_length": whole_lengths,
        "text_hash": [_text_hash(r) for r in chunk],
    }
    return pa.RecordBatch.from_pydict(columns, schema=schema)


def _encoded_rows(
    chunks: Iterable[list[Record]], make_rows: MakeRows, tokens: _Tokens, schema: pa.Schema
) -> Iterator[pa.RecordBatch]:
    """Record batches of as many rows each as a store wants, whatever examples they are of."""
    hashes: list[int] = []  # of each example, whose rows all have it

    def hashed() -> Iterator[list[Record]]:
        for chunk in chunks:
            hashes.extend(map(_text_hash, chunk))
            yield chunk

    rows = rows_of_examples(hashed(), make_rows)
    while found := list(islice(rows, BATCH_ROWS)):
        shown, ids = [record for _, record, _ in found], [row.ids for _, _, row in found]
        types = [row.types or [0] * len(row.ids) for _, _, row in found]
        columns = _columns(shown, ids, tokens, schema) | {
            "first_length": tokens.first_lengths(types),
            "whole_length": [len(row.ids) + row.cut for _, _, row in found],
            "text_hash": [hashes[number] for number, _, _ in found],
            **task_columns(found, typed=tokens.typed),
        }
        yield pa.RecordBatch.from_pydict(columns, schema=schema)


def _columns(
    records: list[Record], ids: Sequence[Sequence[int]], tokens: _Tokens, schema: pa.Schema
) -> dict[str, Any]:
    """What is the same for every task."""
    offsets = np.cumsum([0, *map(len, ids)], dtype=np.int32)
    id_type = schema.field("token_ids").type.value_type
    flat = np.fromiter(chain.from_iterable(ids), id_type.to_pandas_dtype(), offsets[-1])
    return {
        "row": [r.row for r in records],
        "text": [r.text for r in records],
        "text_pair": [r.text_pair for r in records],
        "label": [r.label for r in records],
        "token_ids": pa.ListArray.from_arrays(offsets, flat),
        "unknown": tokens.unknown(records, ids),
    }


def _text_hash(record: Record) -> int:
    # NUL keeps ("ab", "c") and ("a", "bc") apart.
    parts = (record.text, record.text_pair, *record.choices)
    joined = "\0".join(part for part in parts if part is not None)
    return int.from_bytes(hashlib.blake2b(joined.encode(), digest_size=8).digest(), "little")
