"""Imports run one way, from the ground up: each folder of the package has a rank of its own."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# A file may import what stands in its own line and above.
ORDER = (
    {"errors", "lazy_names", "invocation", "console_tables"},
    {"storage"},
    {"machine"},
    {"options"},
    {"config"},
    {"encoders"},
    {"sources"},
    {"tasks"},
    {"results"},
    {"plans"},
    {"data"},
    {"models"},
    {"training"},
    {"prefix"},
    {"evaluation"},
    {"reports"},
    {"runs", "diagnosis"},
    {"preflight"},
    {"prediction"},
    {"export"},
    {"search"},
    {"serving"},
    {"verification"},
)
RANK = {name: rank for rank, names in enumerate(ORDER) for name in names}
FILES = sorted((ROOT / "tf_finetune").rglob("*.py"))


def imported_modules(path):
    """Dotted names of all modules that a file imports, also inside functions."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def part_of(path):
    inside = path.relative_to(ROOT / "tf_finetune")
    return inside.parts[0].removesuffix(".py")


def test_every_part_has_a_place_in_the_order():
    assert len(FILES) > 50
    assert {part_of(path) for path in FILES} == set(RANK) | {"__init__"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_lower_parts_never_import_higher_ones(path):
    if part_of(path) == "__init__":
        return
    rank = RANK[part_of(path)]

    for module in imported_modules(path):
        words = module.split(".")
        assert words[0] != "trainers", f"{path} imports {module}"
        if words[0] == "tf_finetune" and len(words) > 1 and words[1] in RANK:
            assert RANK[words[1]] <= rank, f"{path} imports {module}"


@pytest.mark.parametrize("part", ["config", "data"])
def test_data_and_config_load_neither_tensorflow_nor_transformers(part):
    """They may name them in a function, for what is only sometimes needed."""
    for path in (ROOT / "tf_finetune" / part).rglob("*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = [getattr(node, "module", None), *(alias.name for alias in node.names)]
                heavy = {"tensorflow", "tf_keras", "transformers", "tensorflow_datasets"}
                assert not heavy & {str(name).split(".")[0] for name in names}, path
