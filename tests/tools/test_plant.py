"""Planting of faults, in a clone of one file and one test."""

import pytest

from tools.planting import plant
from tools.planting.plant import Fault

TEST = "from numbers_of import two\n\n\ndef test_two():\n    assert two() == 2\n"


@pytest.fixture
def clone(tmp_path):
    (tmp_path / "numbers_of.py").write_text("def two():\n    one = 1\n    return one + 1\n")
    (tmp_path / "test_two.py").write_text(TEST)
    (tmp_path / "test_blind.py").write_text("def test_nothing():\n    pass\n")
    return tmp_path


def outcome(clone, right="return one + 1", wrong="return 3", tests="test_two.py"):
    passing = [tests] if plant.run_tests(clone, tests) == 0 else []
    return plant.plant(Fault("planted", "numbers_of.py", right, wrong, tests), clone, passing)


def test_a_fault_is_noticed_where_its_test_fails_and_is_taken_out_again(clone):
    before = (clone / "numbers_of.py").read_text()

    assert outcome(clone) == "noticed"
    assert (clone / "numbers_of.py").read_text() == before


def test_a_fault_that_no_test_looks_at_is_told(clone):
    assert outcome(clone, tests="test_blind.py") == "NOT NOTICED"


def test_tests_that_fail_anyway_notice_nothing(clone):
    (clone / "test_two.py").write_text(TEST.replace("== 2", "== 4"))
    assert outcome(clone) == "its tests do not pass without it"


@pytest.mark.parametrize(("right", "times"), [("return two", 0), ("one", 2)])
def test_a_fault_whose_line_has_changed_is_told(clone, right, times):
    assert outcome(clone, right=right) == f"what it replaces stands {times} times in numbers_of.py"


@pytest.mark.parametrize(("outcomes", "code"), [(["noticed"], 0), (["NOT NOTICED"], 1), ([], 1)])
def test_the_exit_code_says_whether_all_were_noticed(outcomes, code, monkeypatch, capsys):
    waiting = iter(outcomes)
    faults = [Fault(name, "f", "a", "b", "t") for name in outcomes]
    monkeypatch.setattr(plant, "read_faults", lambda path: faults)
    monkeypatch.setattr(plant, "copy_of_clone", lambda folder: folder)
    monkeypatch.setattr(plant, "run_tests", lambda clone, tests: 0)
    monkeypatch.setattr(plant, "plant", lambda fault, clone, passing: next(waiting))

    assert plant.main([]) == code
    assert f"{len(outcomes)} faults, {outcomes.count('noticed')} noticed" in capsys.readouterr().out


def test_every_fault_of_the_list_names_what_it_replaces_and_its_tests():
    faults = plant.read_faults(plant.FAULTS)

    assert len({fault.name for fault in faults}) == len(faults) > 0
    assert all(fault.right != fault.wrong and fault.tests for fault in faults)
