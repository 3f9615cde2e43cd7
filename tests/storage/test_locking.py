"""Two processes never write in one folder."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest
from filelock import FileLock

from tf_finetune.errors import UserError
from tf_finetune.storage.locking import FolderInUse, exclusive_use

ANOTHER = {"pid": 1, "host": "elsewhere", "since": 0}
HOLD = """
import sys, time
from pathlib import Path
from tf_finetune.storage.locking import exclusive_use
with exclusive_use(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / "run")], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_second_process_is_told_host_and_process_of_the_first(tmp_path, holder):
    with (
        pytest.raises(
            UserError, match=rf"in use by process {holder.pid} on {socket.gethostname()}"
        ),
        exclusive_use(tmp_path / "run"),
    ):
        pass


def test_lock_of_a_killed_process_is_taken_over(tmp_path, holder):
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()

    started = time.monotonic()
    with exclusive_use(tmp_path / "run"):
        pass
    assert time.monotonic() - started < 5


def test_lock_is_free_again_after_use_and_needs_no_folder(tmp_path):
    for _ in range(2):
        with exclusive_use(tmp_path / "deep" / "run"):
            assert not (tmp_path / "deep" / "run").exists()


def test_name_that_a_killed_process_left_is_not_told_of_the_next_one(tmp_path, holder):
    holder.kill()
    holder.wait()
    # As between taking the lock and writing one's name.
    with FileLock(tmp_path / ".run.lock"):
        owner = tmp_path / ".run.lock.owner"
        assert str(holder.pid) in owner.read_text()
        threading.Timer(0.1, lambda: owner.write_text(json.dumps(ANOTHER))).start()
        with (
            pytest.raises(FolderInUse, match="in use by process 1 on elsewhere"),
            exclusive_use(tmp_path / "run"),
        ):
            pass


def test_short_use_is_waited_for(tmp_path):
    lock = FileLock(tmp_path / ".run.lock", thread_local=False)
    lock.acquire()
    threading.Timer(0.1, lock.release).start()

    with exclusive_use(tmp_path / "run", seconds=5):
        pass
