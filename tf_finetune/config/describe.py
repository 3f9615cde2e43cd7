"""Every option as the models declare it: for `--help`, error messages, docs and editors.

`python -m tf_finetune.config.describe` prints docs/configuration.md, and with the
argument `schema` the JSON Schema that gives editors completion in YAML files.
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from tf_finetune.config.accepted import accepted_words
from tf_finetune.config.schema import branches, json_schema, resolve
from tf_finetune.storage.yaml_document import yaml_value


@dataclass(frozen=True)
class Option:
    """One option.

    Attributes:
        name: Dotted name such as `training.epochs`; inside a list the bare name.
        accepted: Type, choices and range in words.
        default: Default as YAML, or None where a value is required.
        description: Meaning and unit.
        parts: The options of each mapping, for an option that lists mappings.
    """

    name: str
    accepted: str
    default: str | None
    description: str
    parts: tuple["Option", ...] = ()


@dataclass(frozen=True)
class SectionDescription:
    """A section: its name, its one-line meaning and its options in declared order."""

    name: str
    description: str
    options: tuple[Option, ...]


@cache
def list_sections() -> tuple[SectionDescription, ...]:
    """Returns every section in declared order."""
    sections = []
    for name, reference in json_schema()["properties"].items():
        schema = resolve(reference)
        options = _list_options(schema, prefix=f"{name}.")
        sections.append(SectionDescription(name, _first_line(schema["description"]), options))
    return tuple(sections)


@cache
def option_names() -> tuple[str, ...]:
    """Returns the dotted name of every option."""
    return tuple(option.name for section in list_sections() for option in section.options)


def _first_line(docstring: str) -> str:
    return docstring.split("\n", 1)[0]


def _list_options(schema: dict[str, Any], prefix: str = "") -> tuple[Option, ...]:
    options = []
    for name, field in schema["properties"].items():
        items = [resolve(branch["items"]) for branch in branches(field) if "items" in branch]
        options.append(
            Option(
                name=prefix + name,
                accepted=accepted_words(field),
                default=yaml_value(field["default"]) if "default" in field else None,
                description=field["description"],
                parts=tuple(
                    part for item in items if "properties" in item for part in _list_options(item)
                ),
            )
        )
    return tuple(options)


_PAGE_HEAD = """\
# Options

<!-- Generated: python -m tf_finetune.config.describe > docs/configuration.md -->

Values come from, later ones winning: the defaults below, the file given with `--config`,
and `section.name=value` arguments on the command line. Every mistake is reported in one go.

```yaml
# config.yaml
data:
  train: reviews.csv
freeze:
  depth: 4
```

```
python -m trainers.train --config config.yaml \\
    training.learning_rate=3e-4 'freeze.rules=[{train: true, parts: [bias]}]'
```

How values are read, in the file and on the command line:

- An option that takes text takes what is written: `text_column: 6` is the column `6`, and
  `label_names: [yes, no]` are two names. Only `null` and `~` unquoted (in the file also
  nothing at all) mean null; write `"null"` for that text.
- Numbers may be written `5e-5` or `1e3`. An option that is true or false also takes yes, no,
  on and off.
- An option that takes a list also takes its values with commas, or one value alone: `seeds: 1`,
  `seeds: 0,1` and `seeds: [0, 1]`. A value that holds a comma needs the brackets: `["a, b"]`.
- On the command line a value stands after the first `=` and is taken as it is, spaces, colons
  and backslashes too; one in quotation marks or brackets, and the value of an option that takes
  a mapping, is read as YAML. `section.name=` without a value, and the same option twice, are
  mistakes, as is a key that occurs twice in the file.
- The file holds one YAML document in UTF-8, without aliases (`*name`) and tags (`!name`).

Editors that know JSON Schema complete and check such a file with the output of
`python -m tf_finetune.config.describe schema`.
"""


def markdown_page() -> str:
    """Writes docs/configuration.md."""
    lines = [_PAGE_HEAD]
    for section in list_sections():
        lines += [f"## {section.name}", "", section.description, ""]
        lines += [*_markdown_table(section.options), ""]
        for option in section.options:
            if option.parts:
                lines += [f"Each item of `{option.name}`:", "", *_markdown_table(option.parts), ""]
    return "\n".join(lines).rstrip() + "\n"


def _markdown_table(options: Sequence[Option]) -> list[str]:
    rows = ["| Option | Default | Accepted | Meaning |", "|---|---|---|---|"]
    for option in options:
        default = "required" if option.default is None else f"`{option.default}`"
        cells = (f"`{option.name}`", default, option.accepted, option.description)
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return rows


if __name__ == "__main__":
    if sys.argv[1:] == ["schema"]:
        print(json.dumps(json_schema(), indent=2))
    else:
        print(markdown_page(), end="")
