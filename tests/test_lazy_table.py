import sys

import pytest

from tf_finetune.lazy_table import LazyTable


def test_entries_are_imported_when_they_are_looked_up(tmp_path, monkeypatch):
    (tmp_path / "slow_module_of_a_test.py").write_text("THING = 7\n")
    monkeypatch.syspath_prepend(tmp_path)
    table = LazyTable({"thing": "slow_module_of_a_test.THING"})

    assert "thing" in table
    assert list(table) == ["thing"]
    assert "slow_module_of_a_test" not in sys.modules
    assert table["thing"] == 7
    assert dict(table.items()) == {"thing": 7}


def test_entries_can_come_and_go():
    table = LazyTable({})
    table["own"] = 3
    assert (table["own"], len(table)) == (3, 1)

    del table["own"]
    assert "own" not in table
    with pytest.raises(KeyError):
        table["own"]
