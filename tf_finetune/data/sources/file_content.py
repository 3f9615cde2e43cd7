"""The bytes of files, in chunks, for fingerprints."""

from collections.abc import Iterator
from pathlib import Path

_CHUNK_BYTES = 1 << 20


def file_chunks(path: Path) -> Iterator[bytes]:
    """Streams a file's bytes."""
    with open(path, "rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            yield chunk


def named_file_chunks(files: Iterator[tuple[str, Path]]) -> Iterator[bytes]:
    """Streams names and bytes of several files, so that no two sets of files look the same.

    Args:
        files: Name and path of each file, in a fixed order.
    """
    for name, path in files:
        yield f"{name}\0{path.stat().st_size}\0".encode(errors="surrogateescape")
        yield from file_chunks(path)
