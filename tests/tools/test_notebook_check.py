"""The check of the notebooks sees what it has to see; `tools/check_notebooks` executes them."""

import nbformat
import pytest

from tools.notebook_check.check import FOLDER, SETTINGS
from tools.notebook_check.notebook import leftovers, read_notebook, set_parameters


@pytest.fixture
def notebook():
    cells = [
        nbformat.v4.new_code_cell(
            "FILE = 'mine.csv'\nDEPTH = 8", metadata={"tags": ["parameters"]}
        ),
        nbformat.v4.new_code_cell("print(FILE, DEPTH)"),
    ]
    return nbformat.v4.new_notebook(cells=cells)


def test_values_follow_the_parameters_cell(notebook):
    set_parameters(notebook, {"DEPTH": 2})

    assert [cell.source for cell in notebook.cells[1:]] == ["DEPTH = 2", "print(FILE, DEPTH)"]


def test_value_of_a_name_that_the_notebook_does_not_have_is_refused(notebook):
    with pytest.raises(ValueError, match="parameters cell does not set EPOCHS"):
        set_parameters(notebook, {"DEPTH": 2, "EPOCHS": 1})


def test_outputs_of_somebodys_run_are_found(notebook):
    assert leftovers(notebook) == []
    notebook.cells[1].outputs = [nbformat.v4.new_output("stream", text="mine.csv 8")]
    notebook.cells[1].execution_count = 3

    where = f"cell {notebook.cells[1].id}: has"
    assert leftovers(notebook) == [f"{where} outputs", f"{where} an execution count"]


def test_every_notebook_has_settings_and_is_clean():
    paths = sorted(FOLDER.glob("*.ipynb"))

    assert [path.stem for path in paths] == sorted(SETTINGS)
    assert not [line for path in paths for line in leftovers(read_notebook(path))]
