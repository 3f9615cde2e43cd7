"""Commands are shown in the way in which this one was typed."""

import shutil
import subprocess
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

from tf_finetune.invocation import command_line, program

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize(
    ("module", "begun", "without_verb"),
    [
        ("trainers.train", "py3 -m trainers.predict", "py3 -m trainers"),
        ("trainers.__main__", "py3 -m trainers predict", "py3 -m trainers"),
        ("trainers.cli", "py3 -m trainers.cli predict", "py3 -m trainers.cli"),
        ("pytest.__main__", "tf-finetune predict", "tf-finetune"),
    ],
)
def test_a_module_is_named_as_it_was(module, begun, without_verb, monkeypatch):
    monkeypatch.setattr(sys.modules["__main__"], "__spec__", ModuleSpec(module, None))
    monkeypatch.setattr(sys, "orig_argv", ["py3", "-m", "…"])

    assert (command_line("predict"), program()) == (begun, without_verb)


@pytest.mark.parametrize(
    ("typed", "on_path", "shown"),
    [
        ("/usr/bin/tf-finetune", "/usr/bin/tf-finetune", "tf-finetune predict"),
        (".venv/bin/tf-finetune", None, ".venv/bin/tf-finetune predict"),
        ("my env/bin/tf-finetune", "/usr/bin/tf-finetune", "'my env/bin/tf-finetune' predict"),
        ("notebook.py", None, "tf-finetune predict"),
    ],
)
def test_the_script_keeps_the_folder_that_is_needed_to_find_it(typed, on_path, shown, monkeypatch):
    monkeypatch.setattr(sys.modules["__main__"], "__spec__", None)
    monkeypatch.setattr(sys, "argv", [typed, "train"])
    monkeypatch.setattr(shutil, "which", lambda name: on_path)

    assert command_line("predict") == shown


@pytest.mark.parametrize("typed", [["-m", "trainers.verify"], ["-m", "trainers", "verify"]])
def test_usage_begins_with_what_was_typed(typed):
    done = subprocess.run(
        [sys.executable, *typed], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == f"usage: {sys.executable} {' '.join(typed)} RUN"
