"""Makes room for states on the disk: what was not used for longest goes first."""

import re
import shutil
from collections.abc import Callable, Collection
from pathlib import Path

from filelock import FileLock, Timeout

from tf_finetune.prefix.state_file import BLOCKS_FILE, MANIFEST_FILE, STATES_FILE, lock_of

_FILES = (STATES_FILE, BLOCKS_FILE, MANIFEST_FILE)
_KEY = re.compile(r"[0-9a-f]{64}")


def make_room(
    root: Path,
    own: Path,
    needed: int,
    budget: int,
    *,
    keep: Collection[str],
    removed: Callable[[str], None],
) -> int:
    """Removes the least recently used folders until one of `needed` bytes fits.

    A folder that another process is filling stays; one that a process has mapped keeps its
    data for that process. What is no folder of states is not touched.

    Args:
        root: Folder of all states.
        own: The folder to make room for; what it takes already counts as free.
        needed: Bytes that it will take in all.
        budget: Bytes that all states may take.
        keep: Names of folders that stay.
        removed: Told the name of each that is removed, to give up its mapping.

    Returns:
        Bytes that are free within the budget and on the disk afterwards.
    """
    folders = sorted(_state_folders(root), key=_last_used)
    room = _room(root, own, budget)
    for folder in folders:
        if room >= needed:
            break
        if folder == own or folder.name in keep:
            continue
        try:
            with FileLock(lock_of(folder), timeout=0):
                shutil.rmtree(folder, ignore_errors=True)
                # Still held, so that nobody who waits takes a file that is gone for a lock.
                lock_of(folder).unlink(missing_ok=True)
        except (Timeout, PermissionError):  # in use, or another user's
            continue
        removed(folder.name)
        room = _room(root, own, budget)
    return room


def _room(root: Path, own: Path, budget: int) -> int:
    others = (folder for folder in _state_folders(root) if folder != own)
    used = sum(_allocated(folder / name) for folder in others for name in _FILES)
    return min(budget - used, shutil.disk_usage(root).free + _allocated(own / STATES_FILE))


def _state_folders(root: Path) -> list[Path]:
    """Folders with names as keys are; whatever else is there is somebody's own."""
    return [f for f in root.iterdir() if _KEY.fullmatch(f.name) and f.is_dir()]


def _allocated(file: Path) -> int:
    try:
        return file.stat().st_blocks * 512
    except FileNotFoundError:
        return 0


def _last_used(folder: Path) -> float:
    try:
        return (folder / MANIFEST_FILE).stat().st_mtime
    except FileNotFoundError:
        return 0.0
