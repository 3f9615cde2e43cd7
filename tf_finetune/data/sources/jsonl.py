"""JSON lines: one object a line, its fields are the columns."""

import itertools
import json
from collections.abc import Generator
from pathlib import Path

from tf_finetune.config.sections import DataConfig
from tf_finetune.data.sources.file_content import file_chunks
from tf_finetune.data.sources.problems import Problems, show
from tf_finetune.data.sources.table import Row, Table
from tf_finetune.data.sources.text_lines import number_lines, read_lines
from tf_finetune.errors import UserError

_ROWS_FOR_COLUMNS = 1000


def open_jsonl(config: DataConfig, source: str, path: Path) -> Table:
    """Finds out the columns of a JSON lines file from its first 1,000 rows.

    Raises:
        UserError: None of those rows is an object, or they cannot be decoded.
    """

    def rows(problems: Problems) -> Generator[Row, None, None]:
        lines = read_lines(path, source, config.encoding, problems)
        for number, line in number_lines(lines, source, problems):
            place = f"{source}, row {number}"
            values = _parse(line, place, problems)
            if values is not None:
                yield Row(number, values, place)

    problems = Problems()
    head = itertools.islice(rows(problems), _ROWS_FOR_COLUMNS)
    columns = tuple(dict.fromkeys(name for row in head for name in row.values))
    if not columns:
        problems.check()
        raise UserError(f"{source}: is empty; accepted: one JSON object a line")
    return Table(
        name=source,
        kind="jsonl",
        columns=columns,
        rows=rows,
        content=lambda: file_chunks(path),
        options={"encoding": config.encoding},
    )


def _parse(line: str, place: str, problems: Problems) -> dict[str, object] | None:
    try:
        value = json.loads(line, object_pairs_hook=_object)
    except (ValueError, RecursionError) as error:
        advice = ""
        if line.lstrip().startswith("["):
            advice = "; the file seems to be one JSON array over several lines"
        problems.add(f"{place}: not valid JSON: {error}{advice}; accepted: one object a line")
        return None
    if not isinstance(value, dict):
        problems.add(f"{place}: received {show(value)}; accepted: a JSON object")
        return None
    return value


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """An object that says every name once: json would silently keep the last."""
    values: dict[str, object] = {}
    for name, value in pairs:
        if name in values:
            raise ValueError(f"the name {name!r} occurs more than once")
        values[name] = value
    return values
