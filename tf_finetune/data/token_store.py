"""Tokenised texts of one source: ragged, memory-mapped and checked against checksums."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from tf_finetune.data.texts_of_rows import texts_of_rows
from tf_finetune.data.token_store_files import TOKENS_FILE, read_store_manifest
from tf_finetune.tasks.raw_labels import MADE, RawLabels


@dataclass(frozen=True, eq=False)
class TokenBatch:
    """Padded texts as a BERT-like encoder takes them, three arrays int32 `[batch, length]`.

    Attributes:
        token_ids: Vocabulary ids, the tokenizer's padding id after the end of a text.
        token_type_ids: 1 for the second text of a pair where the tokenizer tells them apart so, 0
            elsewhere.
        attention_mask: 1 for tokens, 0 for padding.
    """

    token_ids: np.ndarray
    token_type_ids: np.ndarray
    attention_mask: np.ndarray


class TokenStore:
    """Read access to the store in a folder; `open_store` makes one that is not there yet.

    The file is an ordinary Arrow IPC file. It stays on the disk: what is held in memory is a
    view of each record batch and 40 bytes a row.

    Args:
        folder: Folder of the store.
        source: Where the texts came from, for messages.
        notes: Sentences about the source that are known without reading it.

    Attributes:
        key: Hexadecimal hash of the source's content and of all that decides its tokens.
        path: The folder.
        source: As given.
        lengths: Tokens of each row, int32 `[rows]`.
        source_rows: The 1-based line or row number in the source, int64 `[rows]`.
        text_hashes: A hash of the text (and second text), uint64 `[rows]`.
        whole_lengths: Tokens of each row before it was cut to `max_length`, int32 `[rows]`.
        unknown: Tokens of each row, as kept, that stand for what the tokenizer does not know, int32
            `[rows]`.
        marking_tokens: Tokens of each row that mark its beginning and ends and are no text.
        unknown_examples: Up to three pieces of the texts that it does not know.
        notes: Sentences about how the source was read that the user should know.
        max_length: Longest text in tokens.
        examples: Which example of the source each row is of, counted from 0, int64 `[rows]`; an
            example's rows follow each other.
        starts: First character of its example's text that each row shows, int64 `[rows]`.

    Raises:
        FileNotFoundError: If there is no such folder.
        DamagedStore: If a file is missing, cut short or changed.
    """

    def __init__(self, folder: Path, source: str, notes: Sequence[str] = ()):
        manifest = read_store_manifest(folder)
        self.path, self.source = folder, source
        self.key, self.max_length = manifest.key, manifest.max_length
        self.notes = (*notes, *manifest.notes)
        self.unknown_examples = tuple(manifest.unknown_examples)
        self.marking_tokens = manifest.marking_tokens
        self._pad_id = manifest.pad_id
        reader = pa.ipc.open_file(pa.memory_map(str(folder / TOKENS_FILE)))
        self._batches = [reader.get_batch(i) for i in range(reader.num_record_batches)]
        self._batch_rows = self._batches[0].num_rows  # all but the last have as many
        tokens = [batch.column("token_ids") for batch in self._batches]
        self._offsets = [column.offsets.to_numpy() for column in tokens]
        self._token_ids = [column.values.to_numpy() for column in tokens]
        self.lengths = np.concatenate([np.diff(offsets) for offsets in self._offsets])
        self.source_rows = self._numbers("row")
        self.text_hashes = self._numbers("text_hash")
        self.whole_lengths = self._numbers("whole_length")
        self.unknown = self._numbers("unknown")
        self._first_lengths = self._numbers("first_length")
        self._answered = "reads" in reader.schema.names
        self.examples = self._numbers("example") if self._answered else np.arange(len(self))
        self.starts = self._numbers("start") if self._answered else np.zeros(len(self), np.int64)

    @property
    def truncated(self) -> np.ndarray:
        """Whether each text was longer than `max_length`, bool `[rows]`."""
        return self.whole_lengths > self.lengths

    def __len__(self) -> int:
        return len(self.lengths)

    def gather(self, rows: np.ndarray, pad_to: int | None = None) -> TokenBatch:
        """The tokens of some rows, padded on the right.

        Args:
            rows: Row indices, integers `[batch]`.
            pad_to: Length of the result; None takes the longest of the rows.

        Raises:
            ValueError: If a row is longer than `pad_to`.
        """
        rows = np.asarray(rows, np.int64)
        lengths = self.lengths[rows]
        longest = int(lengths.max(initial=0))
        length = longest if pad_to is None else pad_to
        if length < longest:
            raise ValueError(f"a row has {longest} tokens, more than pad_to {pad_to}")
        token_ids = np.full((len(rows), length), self._pad_id, np.int32)
        for out, row in zip(token_ids, rows.tolist(), strict=True):
            batch, index = divmod(row, self._batch_rows)
            start, end = self._offsets[batch][index : index + 2].tolist()
            out[: end - start] = self._token_ids[batch][start:end]
        position = np.arange(length, dtype=np.int32)
        attention_mask = position < lengths[:, None]
        second = attention_mask & (position >= self._first_lengths[rows][:, None])
        if self._answered and any(map(len, firsts := self._lists("firsts", rows))):
            second = self._second_of_texts(rows, np.stack(firsts), length)
        return TokenBatch(token_ids, second.astype(np.int32), attention_mask.astype(np.int32))

    def texts(self, rows: np.ndarray) -> list[tuple[str, str | None]]:
        """Text and second text (None for single texts) of some rows, integers `[n]`."""
        found = []
        for row in np.asarray(rows, np.int64).tolist():
            batch, index = divmod(row, self._batch_rows)
            columns = self._batches[batch]
            found.append(
                (columns.column("text")[index].as_py(), columns.column("text_pair")[index].as_py())
            )
        return found

    def reads(self, rows: np.ndarray) -> np.ndarray:
        """Positions whose final states are read, int32 `[n, r]`; -1 where there is none.

        The first token's, unless the task says what it reads.
        """
        if not self._answered:
            return np.zeros((len(rows), 1), np.int32)
        found = self._lists("reads", rows)
        reads = np.full((len(rows), max(map(len, found), default=1) or 1), -1, np.int32)
        for to, values in zip(reads, found, strict=True):
            to[: len(values)] = values
        return reads

    def spans(self, rows: np.ndarray) -> list[np.ndarray]:
        """Of each row the characters of its text that its answers are about, int32 `[spans, 2]`.

        Raises:
            KeyError: The answers are about whole texts.
        """
        return [values.reshape(-1, 2) for values in self._lists("spans", rows)]

    def choices(self, rows: np.ndarray) -> list[tuple[str, ...]]:
        """The choices of some rows' examples, where they have any."""
        found = []
        for row in np.asarray(rows, np.int64).tolist():
            batch, index = divmod(row, self._batch_rows)
            found.append(tuple(self._batches[batch].column("choices")[index].as_py()))
        return found

    def _second_of_texts(self, rows: np.ndarray, firsts: np.ndarray, length: int) -> np.ndarray:
        """Of rows of several pairs, which tokens are of a second text, bool `[n, length]`."""
        numbers, positions = texts_of_rows(self.reads(rows), self.lengths[rows], length)
        before = np.take_along_axis(firsts, np.maximum(numbers - 1, 0), axis=1)
        second: np.ndarray = (numbers > 0) & (positions >= before)
        return second

    @property
    def raw_labels(self) -> RawLabels:
        """The labels of all rows as the source gave them, without a copy."""
        labels = pa.chunked_array([batch.column("label") for batch in self._batches])
        made = None
        if self._answered:
            made = pa.Table.from_batches([batch.select(MADE) for batch in self._batches])
        return RawLabels(self.source, labels, self.source_rows, self.examples, made)

    def _lists(self, name: str, rows: np.ndarray) -> list[np.ndarray]:
        found = []
        for row in np.asarray(rows, np.int64).tolist():
            batch, index = divmod(row, self._batch_rows)
            column = self._batches[batch].column(name)
            start, end = column.offsets[index].as_py(), column.offsets[index + 1].as_py()
            found.append(column.values[start:end].to_numpy())
        return found

    def _numbers(self, name: str) -> np.ndarray:
        columns = (batch.column(name) for batch in self._batches)
        return np.concatenate([column.to_numpy(zero_copy_only=False) for column in columns])
