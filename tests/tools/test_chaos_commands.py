"""The short form of `tools/chaos train` and `search`: real runs in processes of their own."""

import os
import re
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[2]


# The first kill is inside a save, the second of the search at a random moment.
@pytest.mark.parametrize(
    ("harness", "options"),
    [("train", ("--kills", "1")), ("search", ("--kills", "2", "--job", "short"))],
)
def test_killed_command_loses_nothing(harness, options, forked_python, tmp_path):
    done = subprocess.run(
        [forked_python, "-m", f"tools.reliability.{harness}", *options, "--folder", str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        timeout=300,
    )

    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert re.search("(2 kills|stopped 1 times), .* 0 differences", done.stdout)
