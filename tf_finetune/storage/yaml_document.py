"""YAML text to values with their line numbers, and values back to YAML.

Scalars stay the text that was written, except null: what a text means is for the field
that receives it. So `text_column: 6`, `label_names: [yes, no]` and `layers: 007` keep their
spelling where text is wanted, `5e-5` is a number where one is wanted (YAML 1.1 says text),
and yes, no, on, off, true and false are truth values only where a field is one.
"""

import re
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

Value = None | str | list[Any] | dict[str, Any]
ValuePath = tuple[str | int, ...]

# Room for the names of 100,000 classes, which a saved configuration lists.
MAX_BYTES = 4_000_000
MAX_DEPTH = 20
_CORE = "tag:yaml.org,2002:"
_SCALAR_TAGS = {
    _CORE + name for name in ("null", "bool", "int", "float", "str", "timestamp", "merge", "value")
}


class DocumentError(Exception):
    """Text that is not the YAML we read.

    Args:
        problem: What is wrong.
        line: 1-based line, or None where none is known.
    """

    def __init__(self, problem: str, line: int | None = None):
        super().__init__(problem)
        self.problem = problem
        self.line = line


@dataclass
class Document:
    """A parsed document.

    Attributes:
        value: Nested dictionaries and lists of text and None.
        lines: 1-based line of every value, by its path from the top.
        duplicates: Path, line and line of the first use of every key given again.
    """

    value: Value = None
    lines: dict[ValuePath, int] = field(default_factory=dict)
    duplicates: list[tuple[ValuePath, int, int]] = field(default_factory=list)


def read_document(path: Path) -> Document:
    """Reads a UTF-8 file of at most `MAX_BYTES`.

    Raises:
        DocumentError: If it is too large, not UTF-8 or not the YAML we read.
        OSError: If it cannot be read.
    """
    with path.open("rb") as file:
        content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise DocumentError(f"larger than {MAX_BYTES} bytes, so this is no configuration")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise DocumentError(f"not UTF-8: {error.reason}", line) from error
    return parse_document(text)


def parse_document(text: str) -> Document:
    """Parses one YAML document without executing tags or expanding aliases.

    Raises:
        DocumentError: On wrong syntax, aliases, tags, keys that are not plain names,
            several documents, or nesting deeper than `MAX_DEPTH`.
    """
    document = Document()
    try:
        node = _Composer(text).get_single_node()
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise DocumentError(f"not valid YAML: character {error.character!r}", line) from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = error.problem or error.context or "cannot be parsed"
        if "'\\t'" in problem:
            problem += " (indent with spaces, not tabs)"
        raise DocumentError(f"not valid YAML: {problem}", mark.line + 1 if mark else 1) from error
    if node is not None:
        document.value = _convert(node, (), document)
    return document


class _Composer(yaml.SafeLoader):
    """Refuses what could make a small file expand without bound."""

    def __init__(self, text: str):
        super().__init__(text)
        self._depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event = self.peek_event()
        line = event.start_mark.line + 1
        if isinstance(event, yaml.AliasEvent):
            raise DocumentError(f"alias *{event.anchor}: write the value out instead", line)
        if self._depth >= MAX_DEPTH:
            raise DocumentError(f"nested deeper than {MAX_DEPTH} levels", line)
        self._depth += 1
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node


def _convert(node: yaml.Node, path: ValuePath, document: Document) -> Value:
    line = node.start_mark.line + 1
    document.lines.setdefault(path, line)
    if isinstance(node, yaml.ScalarNode) and node.tag in _SCALAR_TAGS:
        return None if node.tag == _CORE + "null" else node.value
    if isinstance(node, yaml.SequenceNode) and node.tag == _CORE + "seq":
        return [_convert(item, (*path, i), document) for i, item in enumerate(node.value)]
    if isinstance(node, yaml.MappingNode) and node.tag == _CORE + "map":
        return _convert_mapping(node, path, document)
    tag = node.tag.replace(_CORE, "!!")
    raise DocumentError(f"tag {tag}: write the plain value instead", line)


def _convert_mapping(
    node: yaml.MappingNode, path: ValuePath, document: Document
) -> dict[str, Value]:
    values: dict[str, Value] = {}
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 1
        if not isinstance(key_node, yaml.ScalarNode):
            raise DocumentError("a list or mapping as a key: write a plain name", line)
        key = key_node.value
        key_path = (*path, key)
        if key in values:
            document.duplicates.append((key_path, line, document.lines[key_path]))
        # The key's line, because the value may begin further down.
        document.lines[key_path] = line
        values[key] = _convert(value_node, key_path, document)
    return values


def yaml_value(value: Any) -> str:
    """Writes a value on one line of YAML that `parse_document` reads back.

    Example:
        >>> yaml_value({"train": False, "parts": ("bias",)})
        '{train: false, parts: [bias]}'
    """
    text = yaml.dump(
        value,
        Dumper=_OneLineDumper,
        default_flow_style=True,
        width=sys.maxsize,
        allow_unicode=True,
        sort_keys=False,
    )
    return re.sub(r"\n(\.\.\.\n)?$", "", text)


class _OneLineDumper(yaml.SafeDumper):
    """Never breaks a line, and repeats what occurs twice instead of an alias."""

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def represent_text(self, text: str) -> yaml.Node:
        style = None if text.isprintable() else '"'
        return self.represent_scalar(_CORE + "str", text, style=style)


_OneLineDumper.add_representer(str, _OneLineDumper.represent_text)
