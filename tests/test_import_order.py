"""Imports run one way, from the ground up: each folder of the package has a rank of its own."""

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# A file may import what stands in its own line and above. The first line is files of the package
# itself; each other is a folder, with all folders in it that have no line of their own.
ORDER = (
    {"errors", "lazy_table", "invocation", "console_tables", "live_display"},
    {"storage"},
    {"machine"},
    {"options"},
    {"encoders"},
    {"sources"},
    {"tasks"},
    {"methods"},
    {"results"},
    {"config"},
    {"plans"},
    {"data"},
    {"models"},
    {"training"},
    {"prefix"},
    {"evaluation"},
    {"robustness"},
    {"reports"},
    {"runs"},
    {"diagnosis"},
    {"preflight"},
    {"prediction"},
    {"ranking"},
    {"export"},
    {"searches.running"},
    {"searches.leading"},
    {"searches.answer"},
    {"searches"},
    {"serving"},
    {"jobs"},
    {"verification"},
    {"api"},
)
RANK = {name: rank for rank, names in enumerate(ORDER) for name in sorted(names)}


def module_name(path):
    """Dotted, without the name of the package."""
    words = path.relative_to(ROOT / "tf_finetune").with_suffix("").parts
    return ".".join(words).removesuffix(".__init__")


FILES = {
    module_name(path): path
    for path in sorted((ROOT / "tf_finetune").rglob("*.py"))
    if path != ROOT / "tf_finetune/__init__.py"
}


def imported_modules(path):
    """The modules of the package that a file imports, also inside functions."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            # A name is a module of its own, or stands in the one it is imported from.
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            names = [
                name if name.removeprefix("tf_finetune.") in FILES else node.module
                for name in names
            ]
        else:
            continue
        for name in names:
            assert name.split(".")[0] != "trainers", f"{path} imports {name}"
            if name.startswith("tf_finetune."):
                yield name.removeprefix("tf_finetune.")


IMPORTS = {name: set(imported_modules(path)) for name, path in FILES.items()}


def part_of(module):
    """The entry of ORDER that a module belongs to: the longest that its name begins with."""
    words = module.split(".")
    parts = [".".join(words[:length]) for length in range(len(words), 0, -1)]
    return next((part for part in parts if part in RANK), None)


def test_every_part_has_a_place_in_the_order():
    assert len(FILES) > 250
    assert {part_of(name) for name in FILES} == set(RANK)


@pytest.mark.parametrize("part", RANK)
def test_lower_parts_never_import_higher_ones(part):
    wrong = [
        f"{module} imports {imported}"
        for module, modules in IMPORTS.items()
        if part_of(module) == part
        for imported in sorted(modules)
        if RANK[part_of(imported)] > RANK[part]
    ]
    assert wrong == []


def test_no_files_import_each_other():
    # A package that hands on names of its own files is no circle.
    graph = {module: modules - {module.rpartition(".")[0]} for module, modules in IMPORTS.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


@pytest.mark.parametrize(
    "part",
    ["storage", "options", "config", "sources", "results", "plans", "data"],
)
def test_what_is_needed_before_a_model_loads_neither_tensorflow_nor_transformers(part):
    """They may name them in a function, for what is only sometimes needed."""
    for path in (ROOT / "tf_finetune" / part).rglob("*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = [getattr(node, "module", None), *(alias.name for alias in node.names)]
                heavy = {"tensorflow", "tf_keras", "transformers", "tensorflow_datasets"}
                assert not heavy & {str(name).split(".")[0] for name in names}, path
