"""One search a folder: a second process is told who is at work there.

The operating system holds the lock and drops it when its process ends in whatever way, so
no lock is ever left behind.
"""

import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from tf_finetune.errors import UserError
from tf_finetune.files import write_atomically


@contextmanager
def exclusive_use(folder: Path) -> Iterator[None]:
    """Keeps other processes out of a run folder, which need not exist yet.

    The lock's files lie beside the folder, because the folder may be replaced as a whole.

    Raises:
        UserError: Another process is at work in the folder; names its host and process id.
    """
    folder = folder.absolute()
    owner = folder.with_name(f".{folder.name}.owner.json")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder.with_name(f".{folder.name}.lock"))
        lock.acquire(timeout=0)
    except Timeout:
        raise UserError(
            f"run.dir: {folder} is in use by {_who(owner)}",
            hint="Wait until it ends, end it, or choose another run.dir.",
        ) from None
    except OSError as error:
        raise UserError(f"run.dir: {folder} cannot be locked: {error.strerror}") from None
    try:
        write_atomically(
            owner,
            json.dumps({"pid": os.getpid(), "host": socket.gethostname(), "since": time.time()}),
        )
        yield
    finally:
        owner.unlink(missing_ok=True)
        lock.release()


def _who(owner: Path) -> str:
    try:
        there = json.loads(owner.read_text())
        since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(there["since"]))
        return f"process {there['pid']} on {there['host']}, since {since}"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process that has just begun"
