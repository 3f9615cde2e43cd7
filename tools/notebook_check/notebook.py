"""A notebook as it is committed, with the values of its parameters replaced, and executed."""

import ast
import contextlib
import json
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient

_PARAMETERS = "parameters"  # the tag that papermill knows, too
# A failed `!command` is no error to IPython; here it has to be one.
_FAIL_WITH_COMMANDS = """
def _or_fail(command, _shell=get_ipython(), _system=get_ipython().system):
    _system(command)
    if code := _shell.user_ns["_exit_code"]:
        raise RuntimeError(f"exit code {code}: {command}")

get_ipython().system = _or_fail
"""


def read_notebook(path: Path) -> Any:
    """The notebook of a file, valid by the format's own schema."""
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    return notebook


def leftovers(notebook: Any) -> list[str]:
    """What somebody's own run left in it, a line each; a committed notebook has none."""
    return [
        f"cell {cell.id}: has {what}"
        for cell in notebook.cells
        if cell.cell_type == "code"
        for what, there in (
            ("outputs", cell.outputs),
            ("an execution count", cell.execution_count is not None),
        )
        if there
    ]


def set_parameters(notebook: Any, values: Mapping[str, Any]) -> None:
    """Puts a cell with other values behind the one tagged "parameters".

    Raises:
        ValueError: There is not one such cell, or it does not set one of the names.
    """
    tagged = [
        index
        for index, cell in enumerate(notebook.cells)
        if _PARAMETERS in cell.metadata.get("tags", ())
    ]
    if len(tagged) != 1:
        raise ValueError(f"{len(tagged)} cells are tagged {_PARAMETERS}; accepted: one")
    named = {
        node.id
        for node in ast.walk(ast.parse(notebook.cells[tagged[0]].source))
        if isinstance(node, ast.Name)
    }
    if unknown := sorted(set(values) - named):
        raise ValueError(f"the parameters cell does not set {', '.join(unknown)}")
    source = "\n".join(f"{name} = {value!r}" for name, value in values.items())
    notebook.cells.insert(tagged[0] + 1, nbformat.v4.new_code_cell(source))


def execute(notebook: Any, folder: Path, environment: Mapping[str, str], timeout: float) -> None:
    """Runs all cells in a folder; a failing cell or command ends it.

    Args:
        notebook: It gets the outputs.
        folder: Where it runs, also its home folder and the one for temporary files, so that
            it finds and leaves nothing.
        environment: Variables besides those of this process.
        timeout: Seconds that one cell may take.

    Raises:
        CellExecutionError: With the cell and what it printed.
        RuntimeError: TensorBoard did not come up, which is no error to its extension.
    """
    notebook.cells.insert(0, nbformat.v4.new_code_cell(_FAIL_WITH_COMMANDS))
    # Sockets in the folder, that no other user sees, and no ports.
    kernel = AsyncKernelManager(
        kernel_name="python3", transport="ipc", connection_file=str(folder / "kernel.json")
    )
    client = NotebookClient(
        notebook, km=kernel, timeout=timeout, resources={"metadata": {"path": folder}}
    )
    scripts = str(Path(sys.executable).parent)  # where `tf-finetune` is
    path = os.pathsep.join((scripts, os.environ.get("PATH", os.defpath)))
    own = {"PATH": path, "HOME": str(folder), "TMPDIR": str(folder)}
    try:
        client.execute(env={**os.environ, **own, **environment})
    finally:
        _stop_tensorboard(folder)
    for cell in notebook.cells:
        if cell.source.startswith("%load_ext tensorboard") and not _shows_page(cell):
            raise RuntimeError(f"TensorBoard did not come up: {cell.outputs}")


def _stop_tensorboard(temporary: Path) -> None:
    """Ends the servers that outlive the kernel which started them."""
    for file in temporary.glob(".tensorboard-info/*.info"):
        with contextlib.suppress(ProcessLookupError):
            os.kill(json.loads(file.read_text(encoding="utf-8"))["pid"], signal.SIGTERM)


def _shows_page(cell: Any) -> bool:
    return any("text/html" in output.get("data", {}) for output in cell.outputs)
