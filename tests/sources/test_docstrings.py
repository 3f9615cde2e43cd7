"""The built-in data set of docstrings."""

import sys
import sysconfig
from collections import Counter
from pathlib import Path

import pytest

from tf_finetune.errors import UserError
from tf_finetune.options.data import DataConfig
from tf_finetune.sources import docstrings
from tf_finetune.sources.columns import resolve_columns
from tf_finetune.sources.fingerprints import fingerprint
from tf_finetune.sources.reading import read_records
from tf_finetune.sources.records import Record

_SOURCE = "builtin:docstrings"


@pytest.fixture
def fake_library(write, tmp_path: Path, monkeypatch) -> Path:
    """A standard library of three modules."""
    write(
        "lib/json/__init__.py",
        '"""Reads and writes the JSON format."""\n\n'
        "class A:\n"
        "    '''Turns objects\n\n       into   text.'''\n"
        "    def f(self):\n"
        '        """Too short."""\n'
        "    if True:\n"
        "        async def g(self):\n"
        '            r"""Says \\d in a nested block."""\n',
    )
    write("lib/json/test/test_a.py", '"""Tests are not part of the data."""\n')
    write("lib/antigravity.py", '"""Modules without an area are left out."""\n')
    write("lib/ftplib.py", 'x = 1\n\ndef f():\n    """Reads and writes the JSON format."""\n')
    monkeypatch.setattr(sysconfig, "get_path", lambda name: str(tmp_path / "lib"))
    return tmp_path / "lib"


def test_docstrings_come_cleaned_once_and_in_order(fake_library, read):
    assert read(_SOURCE) == [
        # ftplib.py comes before json/__init__.py, so the equal docstring is its.
        Record(1, "Reads and writes the JSON format.", None, "internet_protocols"),
        Record(2, "Turns objects into text.", None, "internet_data"),
        Record(3, r"Says \d in a nested block.", None, "internet_data"),
    ]


def test_fingerprint_follows_the_source_files(fake_library, write):
    config = resolve_columns(DataConfig(train=_SOURCE))
    first = fingerprint(config, _SOURCE)
    assert fingerprint(config, _SOURCE) == first
    write("lib/antigravity.py", "changed = True\n")
    assert fingerprint(config, _SOURCE) == first
    write("lib/ftplib.py", "changed = True\n")
    assert fingerprint(config, _SOURCE) != first


def test_library_without_source_is_a_problem(tmp_path, monkeypatch):
    monkeypatch.setattr(sysconfig, "get_path", lambda name: str(tmp_path))
    with pytest.raises(UserError, match=r"builtin:docstrings: .* holds no Python source"):
        resolve_columns(DataConfig(train=_SOURCE))


def test_columns_have_fixed_names():
    with pytest.raises(UserError, match=r"data.text_column: received 'doc'.*always text and label"):
        resolve_columns(DataConfig(train=_SOURCE, text_column="doc"))


def test_no_module_has_two_areas():
    modules = [name for names in docstrings.AREAS.values() for name in names.split()]
    assert not [name for name, count in Counter(modules).items() if count > 1]


def test_documented_modules_of_this_python_have_an_area():
    applications = {"antigravity", "idlelib", "lib2to3", "pydoc_data", "this"}
    left_out = applications | {"distutils", "encodings"}
    known = {name for names in docstrings.AREAS.values() for name in names.split()}
    root = Path(sysconfig.get_path("stdlib"))
    public = {
        name
        for name in sys.stdlib_module_names
        if not name.startswith("_")
        and ((root / f"{name}.py").is_file() or (root / name / "__init__.py").is_file())
    }
    assert public - known == left_out & public


def test_this_pythons_library_gives_a_usable_data_set():
    config = DataConfig(text_column="text", label_column="label")
    records = list(read_records(config, _SOURCE))
    counts = Counter(record.label for record in records)
    assert len(records) == len({record.text for record in records}) > 4000
    assert set(counts) == set(docstrings.AREAS)
    assert max(counts.values()) < 0.35 * len(records)
