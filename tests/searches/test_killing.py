"""A search that is killed again and again ends as one that nobody disturbed."""

import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
from search_by_formula import SPACES, FormulaSearch  # noqa: E402


def test_table_is_the_same_after_kill_9_at_random_moments(tmp_path, forked_python):
    done = subprocess.run(
        [forked_python, "-m", "tests.searches.search_by_formula", str(tmp_path), "8", "1"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    for oracle in ("race", "grid", "random", "hyperband"):
        killed = int(re.search(rf"{oracle}: (\d+)", done.stdout).group(1))
        assert killed >= 4
        whole = FormulaSearch(tmp_path / "whole" / oracle, oracle, SPACES[oracle]).run()
        rest = FormulaSearch(tmp_path / oracle, oracle, SPACES[oracle])
        assert rest.table == whole.table
        assert rest.run().ran == []
