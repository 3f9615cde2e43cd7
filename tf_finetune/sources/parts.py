"""Several files of one layout as one table: parts of a large set, or those that a pattern names."""

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tf_finetune.sources.file_content import named_file_chunks
from tf_finetune.sources.problems import Problems, show_names
from tf_finetune.sources.table import Row, Table


@dataclass(frozen=True)
class Part:
    """One of several files.

    Attributes:
        name: Its name within the source, for notes and fingerprints.
        path: The file.
        constants: Columns that its folders' names give (`label=pos/part-0.parquet`).
    """

    name: str
    path: Path
    constants: Mapping[str, str]


def join_parts(source: str, parts: Sequence[Part], tables: Sequence[Table]) -> Table:
    """The rows of several files, one after the other.

    Rows are numbered through; messages about one name its file and its row there.

    Args:
        source: The source as the user wrote it.
        parts: The files, in their order.
        tables: What each was opened as.

    Raises:
        UserError: The files have not the same columns, or names of classes.
    """
    first = tables[0]
    constants = tuple(parts[0].constants)
    problems = Problems()
    for part, table in zip(parts[1:], tables[1:], strict=True):
        if set(table.columns) != set(first.columns) or set(part.constants) != set(constants):
            problems.add(
                f"{table.name}: has the columns {show_names((*table.columns, *part.constants))}; "
                f"accepted: those of {first.name}: {show_names((*first.columns, *constants))}"
            )
        elif dict(table.label_names) != dict(first.label_names):
            problems.add(f"{table.name}: names other classes than {first.name}")
    problems.check()

    def rows(problems: Problems) -> Generator[Row, None, None]:
        before = 0
        for part, table in zip(parts, tables, strict=True):
            number = 0
            problems.part = f"{part.name}, "
            for row in table.rows(problems):
                number = row.number
                values = {**row.values, **part.constants}
                yield row._replace(number=before + number, values=values)
            before += number
        problems.part = ""

    def content() -> Iterator[bytes]:
        return named_file_chunks((part.name, part.path) for part in parts)

    unusable = {name: kind for table in tables for name, kind in table.unusable.items()}
    return Table(
        name=source,
        kind=first.kind,
        columns=(*first.columns, *constants),
        rows=rows,
        content=content,
        options=first.options,
        advice=first.advice,
        unusable=unusable,
        structured=frozenset().union(*(table.structured for table in tables)),
        label_names=first.label_names,
        notes=tuple(dict.fromkeys(note for table in tables for note in table.notes)),
    )
