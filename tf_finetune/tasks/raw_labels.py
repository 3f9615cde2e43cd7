"""Labels as a source gave them, before it is known what they mean."""

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tf_finetune.sources.fields import name_fault
from tf_finetune.sources.list_literals import parse_list
from tf_finetune.sources.numbers import as_flag

MADE = ["target", "spans", "text", "text_pair"]


@dataclass(frozen=True, eq=False)
class RawLabels:
    """Labels as a source gave them.

    Attributes:
        source: Name of the source, for messages.
        values: `string`, `list<string>` or `double`, a pyarrow chunked array `[n]`.
        rows: Row numbers in the source, for messages, int64 `[n]`.
        examples: Which example each is of, ascending, int64 `[n]`; None: each is one.
        made: Of rows that a task made, the columns `MADE`: their target, the spans of their
            answers, and the texts that these are of; see `TaskRow`.
    """

    source: str
    values: pa.ChunkedArray
    rows: np.ndarray
    examples: np.ndarray | None = None
    made: pa.Table | None = None

    def are_lists(self) -> bool:
        """Whether each text has a list of labels."""
        return bool(pa.types.is_list(self.values.type))

    @cached_property
    def distinct(self) -> tuple[list[str], np.ndarray, np.ndarray]:
        """The distinct labels, and which one stands where.

        The distinct labels as strings; for each of m labels its index among them, int64
        `[m]`, and its text, int64 `[m]`. m is n unless texts have lists of labels.
        """
        values = self.values.combine_chunks()
        texts = np.arange(len(values))
        if self.are_lists():
            texts = pc.list_parent_indices(values).to_numpy().astype(np.int64)
            values = values.flatten()
        encoded = values.dictionary_encode()
        names = [_as_text(value) for value in encoded.dictionary.to_pylist()]
        return names, encoded.indices.to_numpy().astype(np.int64), texts

    @cached_property
    def lengths(self) -> np.ndarray:
        """Labels in each list, int64 `[n]`."""
        lengths = pc.list_value_length(self.values.combine_chunks())
        return lengths.to_numpy().astype(np.int64)

    @cached_property
    def width(self) -> int | None:
        """The length that all lists have if they hold 0 and 1 by place; None for names.

        Two at least: a list of one number is a name.
        """
        if not self.are_lists() or len(set(self.lengths.tolist())) != 1:
            return None
        width = int(self.lengths[0])
        return width if width > 1 and self.hold_flags() else None

    def hold_flags(self) -> bool:
        """Whether there is nothing in the lists but 0 and 1, or false and true."""
        names = self.distinct[0]
        return bool(names) and all(as_flag(name) is not None for name in names)

    def flags(self) -> np.ndarray:
        """The zeros and ones by place, bool `[n, width]`, where there is a `width`."""
        names, which, _ = self.distinct
        values = np.array([as_flag(name) for name in names], bool)
        return values[which].reshape(len(self.rows), -1)

    def repeat_in_lists(self) -> bool:
        """Whether a list holds the same label twice, as places do and names do not."""
        names, which, texts = self.distinct
        if not self.are_lists() or not len(which):
            return False
        return len(np.unique(texts * len(names) + which)) < len(which)

    def parted(self, known: Collection[str]) -> "RawLabels":
        """With lists that are written out in text as lists, if all the labels are.

        Args:
            known: Names of labels, which may look like lists themselves.
        """
        if self.are_lists() or set(self.distinct[0]) <= set(known):
            return self
        names, which, _ = self.distinct
        lists = []
        for name in names:
            items = parse_list(name)
            if items is None or any(item is None or name_fault(item) for item in items):
                return self
            lists.append(items)
        values = pa.array(lists, pa.list_(pa.string())).take(pa.array(which))
        return RawLabels(self.source, pa.chunked_array([values]), self.rows)


def _as_text(label: str | float) -> str:
    if isinstance(label, str):
        return label
    return str(int(label)) if label.is_integer() else repr(label)
