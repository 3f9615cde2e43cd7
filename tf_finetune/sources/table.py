"""What every format is turned into: a table of rows with named columns."""

from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from tf_finetune.sources.problems import Problems

Kind = Literal[
    "csv",
    "tsv",
    "text",
    "lines",
    "jsonl",
    "parquet",
    "arrow",
    "folder",
    "tfds",
    "builtin",
    "conll",
    "squad",
]


class Row(NamedTuple):
    """One row: its number from 1, its values by column, and its place in messages.

    Where the values are lists whose items stand in lines of their own, `places` says where each
    item stands.
    """

    number: int
    values: Mapping[str, object]
    place: str
    places: Callable[[int], str] | None = None


@dataclass(frozen=True)
class Table:
    """A source that was found and whose columns are known.

    Attributes:
        name: The source as the user wrote it, for messages.
        kind: The format; `lines` is a text file with one unlabelled text a line.
        columns: Names of the columns; of JSONL those that occur in the first rows.
        rows: Starts reading; broken rows are added to the `Problems` it is given and left out.
        content: Chunks of bytes that change whenever the source's content changes.
        options: The options that decide how this content is read, for its fingerprint.
        advice: What may be wrong if a column is missing, or "".
        unusable: Columns that can be neither text nor label, each with its type; rows come
            without them, unless they are structured.
        structured: The unusable columns that hold structures of texts and numbers, as answers
            with their places; rows have them where all columns are read.
        label_names: Names of the classes in the order of their integers, by column, where the
            file's schema gives them; rows hold the names then.
        notes: Sentences about what was seen on opening that the user should know.
    """

    name: str
    kind: Kind
    columns: tuple[str, ...]
    rows: Callable[[Problems], Generator[Row, None, None]]
    content: Callable[[], Iterator[bytes]]
    options: Mapping[str, object] = field(default_factory=dict)
    advice: str = ""
    unusable: Mapping[str, str] = field(default_factory=dict)
    structured: frozenset[str] = frozenset()
    label_names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
