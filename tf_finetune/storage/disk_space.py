"""A write that found no room is told alike by all who write: where, what it needs, what is free."""

import contextlib
import errno
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from tf_finetune.errors import DiskFullError, UserError


@contextlib.contextmanager
def told_when_full(
    target: Path, needed_bytes: int | None = None, *, option: str | None = None
) -> Iterator[None]:
    """Whatever a full disk raises inside the block becomes one kind of error.

    What was written so far should be removed inside the block too: its room then counts as free.

    Args:
        target: The file or folder that is written; the message names it.
        needed_bytes: What it will take at least; None if only writing it could tell.
        option: The dotted option that chose the place.

    Raises:
        DiskFullError: The disk is full, or what the user may take of it.
    """
    try:
        yield
    except Exception as error:
        if not is_disk_full(error):
            raise
        place = str(target) if option is None else f"{option}: {target}"
        raise DiskFullError(
            f"{place}: {disk_full_reason(target.parent, needed_bytes, error)}",
            hint="Free some space or choose another disk, then give the same command again: what "
            "was there before is whole.",
        ) from error


def is_disk_full(error: BaseException) -> bool:
    """Whether a write failed because the disk, or what the user may take of it, is full."""
    return isinstance(error, DiskFullError) or _is(error, errno.ENOSPC) or _is(error, errno.EDQUOT)


def disk_full_reason(folder: Path, needed_bytes: int | None, error: BaseException) -> str:
    """What an error message says after the name of what could not be written.

    Args:
        folder: Where it was to be; it need not exist.
        needed_bytes: What it will take at least; None if only writing it could tell.
        error: What the write raised.
    """
    existing = next(path for path in (folder, *folder.absolute().parents) if path.is_dir())
    free = f"{shutil.disk_usage(existing).free:,} bytes free"
    full = "the disk is full"
    if _is(error, errno.EDQUOT):
        full, free = "the disk quota is used up", f"{free} on the disk itself"
    if needed_bytes is None:
        return f"{full}: {free}, and more needed (how many bytes, only writing them can tell)"
    return f"{full}: at least {needed_bytes:,} bytes needed, {free}"


def _is(error: BaseException, number: int) -> bool:
    if isinstance(error, UserError):  # may quote a file's content
        return False
    # TensorFlow and safetensors raise errors of their own, with the system's words in them.
    return getattr(error, "errno", None) == number or os.strerror(number) in str(error)
