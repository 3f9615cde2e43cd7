"""Lines as fastText takes them: `__label__x __label__y the text`."""

import itertools
import re
from collections.abc import Generator
from pathlib import Path

from tf_finetune.options.data import DataConfig
from tf_finetune.sources.fields import written_form
from tf_finetune.sources.file_content import file_chunks
from tf_finetune.sources.problems import Problems
from tf_finetune.sources.table import Row, Table
from tf_finetune.sources.text_lines import number_lines, read_lines

PREFIX = "__label__"
_LINE = re.compile(rf"\s*((?:{PREFIX}\S+\s+)*)(.*)", re.DOTALL)
_ROWS_FOR_KIND = 1000


def open_fasttext(config: DataConfig, source: str, path: Path) -> Table:
    """Opens such a file with the columns `text` and `label`.

    Where the first 1,000 lines have one label each, labels are single names, unless
    `data.task` says that a text may have several.
    """
    form = written_form(config)
    if form is None:
        head = itertools.islice(
            _rows(config, source, path, Problems(), single=False), _ROWS_FOR_KIND
        )
        single = all(len(row.values["label"]) == 1 for row in head)  # type: ignore[arg-type]
    else:
        single = form != "names"
    return Table(
        name=source,
        kind="text",
        columns=("text", "label"),
        rows=lambda problems: _rows(config, source, path, problems, single=single),
        content=lambda: file_chunks(path),
        options={"encoding": config.encoding, "fasttext": "name" if single else "names"},
    )


def _rows(
    config: DataConfig, source: str, path: Path, problems: Problems, *, single: bool
) -> Generator[Row, None, None]:
    for number, line in number_lines(read_lines(path, source, config.encoding, problems), problems):
        place = f"{source}, row {number}"
        match = _LINE.match(line)
        marks, text = match.groups() if match else ("", line)
        labels: list[str] = [mark.removeprefix(PREFIX) for mark in marks.split()]
        if single and len(labels) != 1:
            problems.add(
                f"{place}: has {len(labels)} labels; accepted: one {PREFIX}NAME and a text, or "
                "data.task: multi_label"
            )
        else:
            yield Row(number, {"text": text, "label": labels[0] if single else labels}, place)
