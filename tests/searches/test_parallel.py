"""Chief and workers: every trial once, whatever becomes of a worker."""

import subprocess
import sys
from pathlib import Path

import pytest

from tf_finetune.errors import UserError
from tf_finetune.searches.leading.parallel import run_chief
from tf_finetune.searches.leading.roles import is_chief, is_worker

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
from search_by_formula import FormulaSearch  # noqa: E402

pytestmark = pytest.mark.long


@pytest.fixture
def worker(forked_python):
    """The command of a worker."""

    def command(folder, *words):
        return [
            forked_python,
            "-m",
            "tests.searches.search_by_formula",
            "work",
            str(folder),
            *words,
        ]

    return command


def test_workers_share_the_trials_and_a_deadly_one_is_given_up(tmp_path, worker, monkeypatch):
    monkeypatch.setattr("tf_finetune.searches.leading.parallel.MOST_ATTEMPTS", 2)
    deadly = "depth=2 learning_rate=1e-4 seed=0 epochs=3"
    search = FormulaSearch(tmp_path)

    run_chief(search.oracle, 2, worker(tmp_path, deadly), tmp_path / "workers")

    table = search.table
    assert table[deadly] == (
        "its process ended 2 times, by SIGKILL, perhaps by the system for want of memory"
    )
    # The deadly cell is not tried with the second seed.
    assert len(table) == 17
    del table[deadly]
    alone = FormulaSearch(tmp_path / "alone").run().table
    assert table == {key: alone[key] for key in table}


def test_workers_that_cannot_start_end_the_search(tmp_path):
    command = [sys.executable, "-c", "raise SystemExit('no such thing')"]

    with pytest.raises(UserError, match="cannot work: its process ended 3 times, with code 1; see"):
        run_chief(FormulaSearch(tmp_path).oracle, 1, command, tmp_path / "workers")


def test_what_a_worker_says_is_the_users_mistake_is_passed_on(tmp_path):
    command = [sys.executable, "-c", "print('the disk is full'); raise SystemExit(2)"]

    with pytest.raises(UserError, match="worker0: the disk is full"):
        run_chief(FormulaSearch(tmp_path).oracle, 1, command, tmp_path / "workers")


def test_error_in_the_chief_is_raised_and_ends_the_workers(tmp_path, worker, monkeypatch):
    search = FormulaSearch(tmp_path)

    def fail():
        raise RuntimeError("broken")

    monkeypatch.setattr(search.schedule, "next", fail)
    started = []
    popen = subprocess.Popen
    monkeypatch.setattr(
        subprocess, "Popen", lambda *a, **k: started.append(popen(*a, **k)) or started[-1]
    )

    with pytest.raises(RuntimeError, match="broken"):
        run_chief(search.oracle, 1, worker(tmp_path), tmp_path / "workers")
    assert started[-1].poll() is not None


def test_roles_are_told_by_kerastuners_environment():
    address = {"KERASTUNER_ORACLE_IP": "127.0.0.1", "KERASTUNER_ORACLE_PORT": "1"}

    assert is_worker({**address, "KERASTUNER_TUNER_ID": "worker3"})
    assert is_chief({**address, "KERASTUNER_TUNER_ID": "chief"})
    assert not is_worker({}) and not is_chief({})
