"""Two splits as one, for a final training on the validation examples too."""

import hashlib
from collections.abc import Callable
from typing import TypeVar

import numpy as np

from tf_finetune.data.splits import Split
from tf_finetune.data.token_store import TokenBatch, TokenStore

Kept = TypeVar("Kept")


class JoinedStore(TokenStore):
    """The rows of two splits, one after the other, read from where they are.

    Args:
        first: Rows 0 to n - 1.
        second: The rows after them.
    """

    def __init__(self, first: Split, second: Split):
        self._parts = (first, second)
        # Rows are numbered anew, so which rows of the stores they are belongs to the key.
        parts = [f"{part.store.key} {part.rows.tolist()}" for part in self._parts]
        self.key = hashlib.sha256("+".join(parts).encode()).hexdigest()
        self.path = first.store.path
        self.source = f"{first.store.source} and {second.store.source}"
        self.max_length = max(first.store.max_length, second.store.max_length)
        self.lengths = self._both("lengths")
        self.source_rows = self._both("source_rows")
        self.starts = self._both("starts")
        self.text_hashes = self._both("text_hashes")
        self.whole_lengths = self._both("whole_lengths")
        self.unknown = self._both("unknown")
        self.notes = (*first.store.notes, *second.store.notes)
        self.unknown_examples = first.store.unknown_examples or second.store.unknown_examples
        self.marking_tokens = first.store.marking_tokens
        self.examples = np.concatenate([first.examples, first.num_examples + second.examples])

    def gather(self, rows: np.ndarray, pad_to: int | None = None) -> TokenBatch:
        """The tokens of some rows; see `TokenStore.gather`."""
        rows = np.asarray(rows, np.int64)
        longest = int(self.lengths[rows].max(initial=0))
        length = longest if pad_to is None else pad_to
        (first, own), (second, other) = self._split(rows)
        batches = [
            part.gather(indices, pad_to=length)
            for part, indices in zip(self._parts, (own, other), strict=True)
        ]
        joined = []
        for name in ("token_ids", "token_type_ids", "attention_mask"):
            values = np.empty((len(rows), length), np.int32)
            for places, batch in zip((first, second), batches, strict=True):
                values[places] = getattr(batch, name)
            joined.append(values)
        return TokenBatch(*joined)

    def texts(self, rows: np.ndarray) -> list[tuple[str, str | None]]:
        """Text and second text of some rows."""
        return self._in_order(rows, lambda part, indices: part.texts(indices))

    def spans(self, rows: np.ndarray) -> list[np.ndarray]:
        """What answers are about; see `TokenStore.spans`."""
        return self._in_order(rows, lambda part, indices: part.store.spans(part.rows[indices]))

    def choices(self, rows: np.ndarray) -> list[tuple[str, ...]]:
        """The choices of examples; see `TokenStore.choices`."""
        return self._in_order(rows, lambda part, indices: part.store.choices(part.rows[indices]))

    def reads(self, rows: np.ndarray) -> np.ndarray:
        """Positions that are read; see `TokenStore.reads`."""
        found = self._in_order(
            rows, lambda part, indices: list(part.store.reads(part.rows[indices]))
        )
        width = max(map(len, found), default=1)
        return np.stack([np.pad(one, (0, width - len(one)), constant_values=-1) for one in found])

    def _in_order(
        self, rows: np.ndarray, ask: Callable[[Split, np.ndarray], list[Kept]]
    ) -> list[Kept]:
        """What is asked of each part for its rows, put into the order of the rows."""
        rows = np.asarray(rows, np.int64)
        found: dict[int, Kept] = {}
        for part, (places, indices) in zip(self._parts, self._split(rows), strict=True):
            if len(indices):
                values = ask(part, indices)
                found |= zip(np.flatnonzero(places).tolist(), values, strict=True)
        return [found[place] for place in range(len(rows))]

    def _split(self, rows: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
        """For each part: which of the rows are its, bool [n], and where they are in it."""
        count = len(self._parts[0])
        in_first = rows < count
        return [(in_first, rows[in_first]), (~in_first, rows[~in_first] - count)]

    def _both(self, name: str) -> np.ndarray:
        return np.concatenate([getattr(p.store, name)[p.rows] for p in self._parts])


def join_splits(first: Split, second: Split) -> Split:
    """One split with the examples of two, under the name of the first."""
    store = JoinedStore(first, second)
    labels = first.task.joined_targets(first.labels, second.labels)
    return Split(first.name, store, np.arange(len(store)), labels, first.task)
