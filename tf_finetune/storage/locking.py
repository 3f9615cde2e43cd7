"""One process at a time where two would spoil each other's files; others are told who it is.

The operating system holds each lock and drops it when its process ends in whatever way, so no
lock is ever left behind, on this machine or on a file system that several share (NFS 4 and
Lustre keep `flock` on the server, and free it once the client is gone).
"""

import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from tf_finetune.errors import UserError
from tf_finetune.storage.files import is_running, write_atomically

_POLL_SECONDS = 0.01
# How long a new owner may take to write its name.
_NAMELESS_SECONDS = 0.5


class InUse(Exception):
    """Another process holds the lock; the message is its process id, host and beginning."""


class FolderInUse(UserError):
    """Another process is at work in the folder that an option names."""


@contextmanager
def owned_lock(path: Path, *, seconds: float | None = 0.0) -> Iterator[None]:
    """Holds a lock, and says so in `PATH.owner` beside its file.

    Both files' folder has to exist. They are removed while the lock is still held: whoever has
    opened the lock's file meanwhile sees that it has no name any more, and begins anew.

    Args:
        path: The lock's file.
        seconds: How long to wait for it; None waits as long as it takes.

    Raises:
        InUse: Another process holds it.
        OSError: The file system refuses.
    """
    lock, owner = FileLock(path), path.with_name(f"{path.name}.owner")
    try:
        lock.acquire(timeout=-1 if seconds is None else seconds)
    except Timeout:
        _acquire_or_name(lock, owner)
    try:
        here = {"pid": os.getpid(), "host": socket.gethostname(), "since": time.time()}
        with suppress(UserError):  # a full disk; then others are not told the name
            write_atomically(owner, json.dumps(here))
        yield
    finally:
        owner.unlink(missing_ok=True)
        path.unlink(missing_ok=True)
        lock.release()


@contextmanager
def exclusive_use(folder: Path, *, option: str = "run.dir", seconds: float = 0.0) -> Iterator[None]:
    """Keeps other processes out of a run folder, which need not exist yet.

    The lock's files lie beside the folder, because the folder may be replaced as a whole.

    Args:
        folder: The folder.
        option: What names it, for the message.
        seconds: How long to wait for another process.

    Raises:
        FolderInUse: Another process is at work in the folder; names its host and process id.
        UserError: The place cannot be locked.
    """
    folder = folder.resolve()  # one lock, also where a link leads to the folder
    with ExitStack() as held:
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            lock = folder.with_name(f".{folder.name}.lock")
            held.enter_context(owned_lock(lock, seconds=seconds))
        except InUse as other:
            raise FolderInUse(
                f"{option}: {folder} is in use by {other}",
                hint=f"Wait until it ends, end it, or choose another {option}.",
            ) from None
        except OSError as error:
            raise UserError(
                f"{option}: {folder} cannot be made or locked: {error.strerror}"
            ) from None
        yield


def _acquire_or_name(lock: FileLock, owner: Path) -> None:
    """Waits until the owner has said who it is, or is gone: then the lock is ours."""
    until = time.monotonic() + _NAMELESS_SECONDS
    while True:
        name, is_current = _read(owner)
        if is_current or time.monotonic() > until:
            raise InUse(name)
        try:
            lock.acquire(timeout=0)
            return
        except Timeout:
            time.sleep(_POLL_SECONDS)


def _read(owner: Path) -> tuple[str, bool]:
    """What is known of the owner, and whether it may be the one that holds the lock now.

    A killed owner leaves its name behind, and the next one needs a moment to write its own.
    """
    try:
        there = json.loads(owner.read_text(encoding="utf-8"))
        pid, host = int(there["pid"]), str(there["host"])
        since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(there["since"]))
    except (OSError, ValueError, KeyError, TypeError):
        return "another process", False
    elsewhere = host != socket.gethostname()
    return f"process {pid} on {host}, since {since}", elsewhere or is_running(pid)
