"""Files that are either the old one or the new one, never half of each."""

import contextlib
import glob
import hashlib
import json
import math
import os
import re
import shutil
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tf_finetune.errors import UserError
from tf_finetune.storage.disk_space import told_when_full

_TERMINAL_CONTROLS = re.compile("[\x7f-\x9f]")


def write_atomically(path: str | os.PathLike[str], data: bytes | str) -> None:
    """Replaces a file in one step that survives a crash or a full disk.

    The data goes to a temporary name in the same folder, is forced to the disk and then
    renamed, so a reader sees the previous file or all of the new one.

    Args:
        path: The file; its folder has to exist.
        data: The whole content; text is written as UTF-8.

    Raises:
        DiskFullError: There is no room for it.
        UserError: The file cannot be written for another reason. Either way the temporary file
            is gone and a previous file is as it was.
    """
    target = Path(path)
    content = data.encode("utf-8") if isinstance(data, str) else data
    temporary = target.with_name(f".{target.name}.{uuid.uuid4().hex}.tmp")
    try:
        with told_when_full(target, len(content)), contextlib.ExitStack() as stack:
            stack.callback(_remove, temporary)
            with temporary.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(target)
            sync_folder(target.parent)
    except OSError as error:
        reason = error.strerror or error
        raise UserError(f"{target}: cannot be written: {reason}") from error


def _remove(temporary: Path) -> None:
    with contextlib.suppress(OSError):  # after the rename there is nothing left to remove
        temporary.unlink(missing_ok=True)


def write_json(path: str | os.PathLike[str], value: Any) -> None:
    """Writes a value as JSON, by `write_atomically`; NaN and infinity, which JSON lacks, as null.

    Control characters are escaped as in `json_line`: people read these files in terminals.

    Raises:
        UserError: The file cannot be written.
    """
    text = json.dumps(_without_nan(value), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    # A lone surrogate in a user's text has no UTF-8; its backslash form is its JSON escape.
    write_atomically(path, _escaped(text).encode("utf-8", errors="backslashreplace"))


def json_line(value: Any) -> str:
    """A value as JSON in one line whose control characters are all escaped.

    JSON escapes those below a space; a terminal also obeys U+007F to U+009F.
    """
    return _escaped(json.dumps(value, ensure_ascii=False))


def _escaped(text: str) -> str:
    """JSON without the control characters that `json.dumps` leaves as they are."""
    return _TERMINAL_CONTROLS.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def _without_nan(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def sync_folder(folder: Path) -> None:
    """Makes a rename durable; Windows has no such call and needs none."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def replaced_folder(final: Path, needed_bytes: int | None = None) -> Iterator[Path]:
    """A temporary folder that takes the name `final` if the block ends without an exception.

    Its files are forced to the disk first, so a folder of that name is always whole: the
    previous one or the new one. Nothing is left of a block that fails. Of a process that is
    killed between the two renames the previous folder is left under another name; the next that
    writes `final` puts it back first.

    Args:
        final: The folder; whatever has the name is replaced. Its parent is made.
        needed_bytes: What its files will take at least, for the message if there is no room;
            None if only writing them could tell.

    Raises:
        DiskFullError: There is no room for it.
    """
    temporary = final.with_name(f".{final.name}.writing-{os.getpid()}")
    previous = final.with_name(f".{final.name}.previous-{os.getpid()}")
    _clear_up(final)
    with told_when_full(final, needed_bytes):
        try:
            temporary.mkdir(parents=True)
            yield temporary
            for path in temporary.rglob("*"):
                sync_folder(path) if path.is_dir() else sync_file(path)
            sync_folder(temporary)
            if final.exists():
                final.rename(previous)
            temporary.rename(final)
            sync_folder(final.parent)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
            if previous.exists() and not final.exists():
                previous.rename(final)
            shutil.rmtree(previous, ignore_errors=True)


def _clear_up(final: Path) -> None:
    """Puts back or removes what processes that are gone left of writing a folder."""
    for left in sorted(final.parent.glob(f".{glob.escape(final.name)}.*-*")):
        kind, _, process = left.name.removeprefix(f".{final.name}.").rpartition("-")
        if kind not in ("writing", "previous") or not process.isdigit():
            continue
        if int(process) != os.getpid() and is_running(int(process)):
            continue
        if kind == "previous" and not final.exists():
            left.rename(final)
        else:
            shutil.rmtree(left, ignore_errors=True)


def is_running(process: int) -> bool:
    """Whether a process of this number runs on this machine."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # another user's
        pass
    return True


def sync_file(path: Path) -> None:
    """Forces a file that something else wrote to the disk."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def file_sha256(path: Path) -> str:
    """SHA-256 of a file, hex."""
    # hashlib.file_digest would do, but is new in Python 3.11.
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def json_sha256(value: Any) -> str:
    """SHA-256 of a JSON value, hex; the order of keys does not matter."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
