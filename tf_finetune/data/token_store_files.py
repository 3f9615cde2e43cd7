"""The files of a token store: its manifest, its checksums, and how it is committed.

A store is a folder. `tokens.arrow` holds the data and `manifest.json`, written last, the
SHA-256 of every block of it: Arrow IPC itself does not notice a flipped bit. The folder is
filled under a temporary name and renamed, so that a half-written store is never visible.
"""

import errno
import hashlib
import json
import os
import shutil
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from tf_finetune.storage.files import json_sha256

FORMAT_VERSION = 3
BLOCK_BYTES = 4 * 1024 * 1024
TOKENS_FILE = "tokens.arrow"
MANIFEST_FILE = "manifest.json"
ABANDONED_AFTER_SECONDS = 24 * 3600


class DamagedStore(Exception):
    """A file of the store is not what was committed; the message names the file."""


@dataclass(frozen=True)
class Manifest:
    """What `manifest.json` says about a store.

    `marking_tokens` is the number of tokens that are added to each text or pair, `notes` are
    sentences about how the source was read, and `unknown_examples` are pieces of its texts that
    the tokenizer does not know.
    """

    key: str
    rows: int
    tokenizer: str
    vocab_size: int
    pad_id: int
    max_length: int
    file_bytes: int
    block_sha256: list[str]
    marking_tokens: int
    notes: list[str]
    unknown_examples: list[str]
    block_bytes: int = BLOCK_BYTES
    format_version: int = FORMAT_VERSION


def hash_blocks(path: Path) -> list[str]:
    """SHA-256 of each block of `BLOCK_BYTES` of a file, hashed on all cores."""

    def hash_block(start: int) -> str:
        with path.open("rb") as file:
            file.seek(start)
            return hashlib.sha256(file.read(BLOCK_BYTES)).hexdigest()

    with ThreadPoolExecutor() as pool:
        return list(pool.map(hash_block, range(0, path.stat().st_size, BLOCK_BYTES)))


def write_store_manifest(folder: Path, manifest: Manifest) -> None:
    """Write the manifest with a checksum of itself and flush it to the disk."""
    content = asdict(manifest)
    content["manifest_sha256"] = json_sha256(content)
    with (folder / MANIFEST_FILE).open("w", encoding="utf-8") as file:
        json.dump(content, file, indent=1)
        file.flush()
        os.fsync(file.fileno())


def read_store_manifest(folder: Path) -> Manifest:
    """Read the manifest of a store and check it and the tokens against its checksums.

    Raises:
        FileNotFoundError: If there is no such folder.
        DamagedStore: If a file is missing, cut short or changed.
    """
    if not folder.is_dir():
        raise FileNotFoundError(folder)
    path = folder / MANIFEST_FILE
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content.pop("manifest_sha256") != json_sha256(content):
            raise DamagedStore(f"{path}: its checksum differs")
        manifest = Manifest(**content)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DamagedStore(f"{path}: unreadable ({error})") from error
    _check_tokens(folder / TOKENS_FILE, manifest)
    return manifest


def _check_tokens(path: Path, manifest: Manifest) -> None:
    try:
        file_bytes = path.stat().st_size
        blocks = hash_blocks(path)
    except OSError as error:
        raise DamagedStore(f"{path}: unreadable ({error})") from error
    if file_bytes != manifest.file_bytes:
        raise DamagedStore(f"{path}: {file_bytes} bytes instead of {manifest.file_bytes}")
    for index, (found, expected) in enumerate(zip(blocks, manifest.block_sha256, strict=True)):
        if found != expected:
            start = index * BLOCK_BYTES
            raise DamagedStore(f"{path}: the checksum of the block at byte {start} differs")


@contextmanager
def uncommitted_folder(final: Path) -> Iterator[Path]:
    """A temporary folder that becomes `final` if the block ends without an exception.

    Should another process have committed `final` meanwhile, that one stays: the name is a
    hash of all that goes in, so both hold the same.
    """
    final.parent.mkdir(parents=True, exist_ok=True)
    _remove_abandoned(final)
    temporary = _hidden_sibling(final)
    temporary.mkdir()
    try:
        yield temporary
        sync_to_disk(temporary)
        try:
            os.replace(temporary, final)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
        sync_to_disk(final.parent)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def remove_store(folder: Path) -> None:
    """Remove a store; a process that has it mapped keeps its data until it ends."""
    hidden = _hidden_sibling(folder)
    with suppress(FileNotFoundError):  # another process was quicker
        os.replace(folder, hidden)
        shutil.rmtree(hidden, ignore_errors=True)


def sync_to_disk(path: Path) -> None:
    """Flush a file, or the entries of a folder, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _hidden_sibling(folder: Path) -> Path:
    return folder.parent / f".{folder.name}.{uuid.uuid4().hex[:12]}"


def _remove_abandoned(final: Path) -> None:
    # A killed process leaves its temporary folder behind.
    for folder in final.parent.glob(f".{final.name}.*"):
        with suppress(FileNotFoundError):
            files = [folder, *folder.iterdir()]
            if time.time() - max(f.stat().st_mtime for f in files) > ABANDONED_AFTER_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)
