"""Checksums of a folder's files, written last, so that a later change is noticed and named."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tf_finetune.storage.files import file_sha256, json_sha256, write_atomically

MANIFEST = "manifest.json"


def write_manifest(folder: Path, names: Iterable[str] | None = None) -> None:
    """Writes `manifest.json`: the SHA-256 of files of a folder, and of the list itself.

    Args:
        folder: The folder.
        names: Paths in it, with slashes; None takes every file below it.

    Raises:
        UserError: The manifest cannot be written.
    """
    if names is None:
        below = (path for path in folder.rglob("*") if path.is_file())
        names = (path.relative_to(folder).as_posix() for path in below)
    chosen = sorted(name for name in names if name != MANIFEST)
    content: dict[str, Any] = {"sha256": {name: file_sha256(folder / name) for name in chosen}}
    content["manifest_sha256"] = json_sha256(content)
    write_atomically(folder / MANIFEST, json.dumps(content, indent=1) + "\n")


def read_manifest(folder: Path) -> dict[str, str]:
    """The SHA-256 of each listed file, hex, by its path in the folder.

    Raises:
        FileNotFoundError: There is no manifest.
        ValueError: It is damaged.
    """
    path = folder / MANIFEST
    if not path.is_file():  # a device or a pipe may have no end
        raise FileNotFoundError(path)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        digests = content["sha256"]
        # Lists of earlier versions had no checksum of their own, and nothing else in them.
        if set(content) != {"sha256"}:
            written = content.pop("manifest_sha256")
            if written != json_sha256(content):
                raise ValueError("its own checksum differs")
        names = {str(name): str(digest) for name, digest in digests.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"{path}: damaged") from error
    if any(Path(name).is_absolute() or ".." in Path(name).parts for name in names):
        raise ValueError(f"{path}: damaged")
    return names


def damaged_files(folder: Path) -> list[str]:
    """A line for each file that is missing or not as it was written, with its path.

    Args:
        folder: A folder; without a manifest nothing is known of it, and nothing said.
    """
    try:
        digests = read_manifest(folder)
    except FileNotFoundError:
        return []
    except ValueError as error:
        return [str(error)]
    return [
        f"{folder / name}: {'damaged' if (folder / name).is_file() else 'missing'}"
        for name, digest in digests.items()
        if not is_whole(folder / name, digest)
    ]


def is_whole(path: Path, digest: str) -> bool:
    """Whether a file is there with this SHA-256."""
    try:
        return path.is_file() and file_sha256(path) == digest
    except OSError:  # a sector that cannot be read
        return False
