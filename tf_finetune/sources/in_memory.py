"""Examples that a caller in Python holds in memory, as a source with a name.

The name is made of their content, so that the same examples have the same name in another
process: a run that says where its examples came from goes on when they are given again.
"""

import hashlib
import itertools
import weakref
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from tf_finetune.errors import UserError
from tf_finetune.options.data import DataConfig
from tf_finetune.sources.arrow_values import (
    BATCH_ROWS,
    CONVERSION_ERRORS,
    is_structured,
    is_usable,
)
from tf_finetune.sources.record_batches import table_of_batches
from tf_finetune.sources.table import Table

IN_MEMORY = "python:"
_DIGITS = 12  # of a SHA-256, in the name
_VALUES_NAMED = 100_000
_SPAN = ("start", "end", "label")

# A column's values from one row up to another, as pyarrow takes them.
Values = Callable[[int, int], Any]


class InMemory:
    """A table whose columns are Python values, turned into Arrow's a few rows at a time.

    The program finds it by its name alone, once it is kept; see `keep`.

    Args:
        kind: What it is, in messages, such as `DataFrame`.
        columns: The values of each column, by name.
        rows: Number of rows.
        types: pyarrow types of columns where they are known; with the metadata of a schema of the
            `datasets` library, in which the names of classes stand.
        place: Names a row, counted from 1, beyond its number; such as by a DataFrame's index.

    Raises:
        UserError: There are no columns or no rows.
    """

    def __init__(
        self,
        kind: str,
        columns: dict[str, Values],
        rows: int,
        *,
        types: Any = None,
        place: Callable[[int], str] = lambda number: "",
    ):
        if not columns or not rows:
            raise UserError(
                f"the {kind} is empty: {rows:,} rows, {len(columns)} columns; accepted: at least "
                "one example, with its text and its label in columns"
            )
        self.kind = kind
        self._columns = columns
        self._rows = rows
        self._place = place
        self._mixed: dict[str, str] = {}
        self._digest, self._schema = self._scan(types)
        named = "-".join(kind.lower().split())
        self.source = f"{IN_MEMORY}{named}-{self._digest[:_DIGITS]}"

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns."""
        return tuple(self._columns)

    def table(self, config: DataConfig, split: str) -> Table:
        """The rows as those of a file.

        Raises:
            UserError: A column occurs twice.
        """
        name = f"{self.kind} ({split})"
        table = table_of_batches(
            config,
            name,
            "arrow",
            self._schema,
            self._batches,
            content=lambda: iter([self._digest.encode()]),
            place=lambda number: f"{name}, row {number}{self._place(number)}",
        )
        return replace(table, unusable={**table.unusable, **self._mixed})

    def _batches(self, columns: Sequence[str]) -> Iterator[Any]:
        import pyarrow as pa

        for first, last in self._chunks():
            arrays = [self._array(name, first, last) for name in columns]
            yield pa.RecordBatch.from_arrays(arrays, names=list(columns))

    def _chunks(self) -> Iterator[tuple[int, int]]:
        for first in range(0, self._rows, BATCH_ROWS):
            yield first, min(first + BATCH_ROWS, self._rows)

    def _array(self, name: str, first: int, last: int) -> Any:
        import pyarrow as pa

        values = self._columns[name](first, last)
        try:
            found = pa.array(values, from_pandas=True)
        except (pa.ArrowException, *CONVERSION_ERRORS):
            found = pa.array(_with_named_spans(values), from_pandas=True)
        return found.combine_chunks() if isinstance(found, pa.ChunkedArray) else found

    def _scan(self, types: Any) -> tuple[str, Any]:
        """Reads all once: a digest of the usable columns, and the schema.

        A column that cannot be turned into Arrow's values, such as one of dictionaries or one
        that mixes texts and numbers, is not usable.
        """
        import pyarrow as pa

        fields, digest = [], hashlib.sha256()
        for name in self._columns:
            known = None if types is None else types.field(name)
            if known is not None and not _is_readable(known):
                fields.append(known)
                continue
            try:
                field, own = self._scan_column(name)
            except (pa.ArrowException, *CONVERSION_ERRORS):
                field, own = pa.field(name, pa.binary()), b""  # no type of Arrow's says it
                self._mixed[name] = self._kinds(name)
            fields.append(field if known is None else known)
            digest.update(repr(name).encode() + own)
        metadata = None if types is None else types.metadata
        return digest.hexdigest(), pa.schema(fields, metadata=metadata)

    def _scan_column(self, name: str) -> tuple[Any, bytes]:
        import pyarrow as pa

        digest, kind = hashlib.sha256(), pa.null()
        for first, last in self._chunks():
            array = self._array(name, first, last)
            if pa.types.is_null(kind):
                kind = array.type
            if not _is_readable(pa.field(name, kind)):
                break
            digest.update(pa.RecordBatch.from_arrays([array], names=[""]).serialize())
        return pa.field(name, kind), digest.digest()

    def _kinds(self, name: str) -> str:
        """Names of the Python types of a column's first values that differ."""
        values = itertools.chain.from_iterable(self._columns[name](*at) for at in self._chunks())
        kinds = {type(value).__name__: None for value in itertools.islice(values, _VALUES_NAMED)}
        return " and ".join(kinds)


def _with_named_spans(values: Any) -> list[Any]:
    """Values in which spans, lists of [start, end, kind], are objects: Arrow's lists hold one type.

    What else is in lists of several types stays as it is, and Arrow refuses it again.
    """
    return [
        [_named_span(item) for item in value] if isinstance(value, (list, tuple)) else value
        for value in values
    ]


def _named_span(item: Any) -> Any:
    if not isinstance(item, (list, tuple)) or len(item) != len(_SPAN):
        return item
    return dict(zip(_SPAN, item, strict=True))


def _is_readable(field: Any) -> bool:
    return is_usable(field) or is_structured(field)


_KEPT: "weakref.WeakValueDictionary[str, InMemory]" = weakref.WeakValueDictionary()


def keep(examples: InMemory) -> InMemory:
    """Lets the program find examples by their name, for as long as somebody holds them.

    Returns:
        Those to hold: others of the same content, where there are some already.
    """
    return _KEPT.setdefault(examples.source, examples)


def open_in_memory(config: DataConfig, source: str, split: str) -> Table:
    """Opens examples that are held in memory.

    Raises:
        UserError: No caller in this process holds them.
    """
    kept = _KEPT.get(source)
    if kept is None:
        raise UserError(
            f"data.{split}: {source} stands for examples that were given in Python, which nobody "
            "holds any more; accepted: labelled examples, in a file or in Python"
        )
    return kept.table(config, split)
