"""Of several processes that want the same states one computes them, and any may be killed."""

import subprocess
import sys
from socket import gethostname

import numpy as np
import pytest

from tf_finetune.prefix import layout as layouts
from tf_finetune.prefix.state_file import StateFile

pytestmark = pytest.mark.long

LENGTHS = [3, 5, 2, 5]
VALUES = np.arange(15 * 2, dtype=np.float32).reshape(15, 2)

# Says which block it computes, and computes the second one when it may.
OTHER = """
import sys, time
from pathlib import Path
from types import SimpleNamespace
import numpy as np
from tf_finetune.data.splits import Split
from tf_finetune.prefix import layout as layouts
from tf_finetune.prefix.state_file import StateFile

root, may_go_on = map(Path, sys.argv[1:])
layouts.BLOCK_ROWS = 2
rows = np.arange(4)
lengths = np.array([3, 5, 2, 5], np.int32)
store = SimpleNamespace(key="store", lengths=lengths, text_hashes=rows.astype(np.uint64))
split = Split("train", store, rows, rows)
layout = layouts.Layout(split, 1, 2, np.dtype("float32"), False)
values = np.arange(30, dtype=np.float32).reshape(15, 2)

def compute(index):
    print("computing block", index, flush=True)
    while index == 1 and not may_go_on.exists():
        time.sleep(0.01)
    return values[layout.block_tokens(index)]

file = StateFile(root, layout, "prefix")
with file.one_writer(print):
    file.fill(file.missing_blocks(print), compute, lambda rows: None)
    assert (file.open() == values).all()
"""


@pytest.fixture
def file(root, layout_of, monkeypatch):
    monkeypatch.setattr(layouts, "BLOCK_ROWS", 2)
    return StateFile(root, layout_of(LENGTHS), "prefix")


@pytest.fixture
def may_go_on(tmp_path):
    return tmp_path / "may_go_on"


@pytest.fixture
def other(root, may_go_on):
    """A process that has written the first of two blocks."""
    process = subprocess.Popen(
        [sys.executable, "-c", OTHER, str(root), str(may_go_on)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "computing block 0\n"
    assert process.stdout.readline() == "computing block 1\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


@pytest.fixture
def use(file):
    """Computes what is missing; gives the blocks and the values."""

    def fill_and_open(tell):
        computed = []

        def compute(index):
            computed.append(index)
            return VALUES[file._layout.block_tokens(index)]

        with file.one_writer(tell):
            missing = file.missing_blocks(tell)
            if missing:
                file.fill(missing, compute, lambda rows: None)
            return computed, file.open()

    return fill_and_open


def test_second_process_waits_for_the_first_and_computes_nothing(other, use, may_go_on):
    lines = []

    def tell(line):
        lines.append(line)
        may_go_on.touch()

    computed, values = use(tell)

    assert other.wait(timeout=20) == 0
    (line,) = lines
    assert line.startswith(f"prefix cache: waiting for process {other.pid} on {gethostname()}, ")
    assert line.endswith(", which computes the same states")
    assert computed == []
    np.testing.assert_array_equal(values, VALUES)


def test_killed_process_leaves_its_blocks_and_no_lock(other, use):
    other.kill()
    other.wait()
    lines = []

    computed, values = use(lines.append)

    assert (computed, lines) == ([1], [])
    np.testing.assert_array_equal(values, VALUES)
