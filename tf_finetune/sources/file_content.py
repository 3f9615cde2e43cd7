"""The bytes of files: as they are, for fingerprints, and decompressed, for readers of text."""

import bz2
import gzip
import io
import lzma
import os
import re
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, cast

COMPRESSED_ENDINGS = (".gz", ".bz2", ".xz")
# Text compresses 3 to 20 times, a log that repeats itself 100 times; a bomb far more.
RATIO_LIMIT = 200
RATIO_COUNTS_FROM = 256 * 2**20
_CHUNK_BYTES = 1 << 20
_HEAD_BYTES = 512
_DAMAGED = (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile, ValueError)


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


def open_bytes(path: Path) -> BinaryIO:
    """Opens a file for reading, decompressed where it is gzip, bzip2 or xz.

    Its first bytes decide, not its name: browsers decompress what they save, or do not.

    Raises:
        OSError: The file cannot be opened; while it is read also: it is damaged, or it holds
            more than `RATIO_LIMIT` times its size and more than `RATIO_COUNTS_FROM` bytes.
    """
    file = open(path, "rb")  # noqa: SIM115 (whoever asked for it closes it)
    start = file.peek(_MAGIC_BYTES)[:_MAGIC_BYTES]
    opener = next((opener for magic, opener in _OPENERS if magic.match(start)), None)
    if opener is None:
        return file
    limit = max(RATIO_COUNTS_FROM, RATIO_LIMIT * os.fstat(file.fileno()).st_size)
    inner = cast(io.RawIOBase, _Decompressed(file, opener(file), limit))
    return io.BufferedReader(inner, _CHUNK_BYTES)


_MAGIC_BYTES = 10
_OPENERS: tuple[tuple[re.Pattern[bytes], Callable[[BinaryIO], Any]], ...] = (
    (re.compile(rb"\x1f\x8b"), gzip.open),
    (re.compile(rb"BZh\d(1AY&SY|\x17rE8P\x90)"), bz2.open),
    (re.compile(rb"\xfd7zXZ\0"), lzma.open),
)


class _Decompressed(io.RawIOBase):
    """What a compressed file holds, up to a limit; every fault is an `OSError`."""

    def __init__(self, file: BinaryIO, inner: Any, limit: int):
        self._file, self._inner, self._limit, self._count = file, inner, limit, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            data = self._inner.read(len(buffer))
        except _DAMAGED as error:
            raise OSError(f"the compressed file is damaged: {error}") from error
        except OSError as error:
            if error.errno is not None:
                raise
            raise OSError(f"the compressed file is damaged: {error}") from error
        self._count += len(data)
        if self._count > self._limit:
            raise OSError(
                f"holds more than {self._limit:,} bytes, over {RATIO_LIMIT} times its size; "
                "decompress it first if that is meant so"
            )
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self._inner.close()
            self._file.close()
        super().close()


_ARCHIVE = "a zip archive or an Office file; take the text file out of it, or save it as CSV"
_FOREIGN = (
    (b"PK\x03\x04", _ARCHIVE),
    (b"PK\x05\x06", _ARCHIVE),
    (b"\xd0\xcf\x11\xe0", "an old Office file; save it as CSV in UTF-8"),
    # Neither Python's library nor Arrow notices that such a file is cut short.
    (b"\x28\xb5\x2f\xfd", "a Zstandard file; decompress it first (zstd -d)"),
    (b"PAR1", "a Parquet file; set data.format=parquet, or name it .parquet"),
    (b"ARROW1", "an Arrow file; set data.format=arrow, or name it .arrow"),
    (b"FEA1", "a Feather file of version 1; write it again as version 2, Parquet or CSV"),
    (b"%PDF", "a PDF document; save its texts as CSV"),
    (b"SQLite format 3", "an SQLite database; export the table as CSV"),
    (b"\x89HDF", "an HDF5 file; write its table as Parquet or CSV"),
    (b"\x93NUMPY", "a NumPy array; write texts and labels as Parquet or CSV"),
    *(
        (bytes([0x80, n]), "a pickle, which could run code; write it as Parquet")
        for n in range(2, 6)
    ),
    (
        b"version https://git-lfs",
        "a pointer of Git LFS, not the data; fetch them with git lfs pull",
    ),
)


def foreign_content(path: Path) -> str:
    """What a file that should hold text is instead, and what to do; "" if nothing is known.

    Raises:
        OSError: The file cannot be read.
    """
    with open_bytes(path) as file:
        head = file.read(_HEAD_BYTES)
    for start, what in _FOREIGN:
        if head.startswith(start):
            return what
    if head[257:262] == b"ustar":
        return "a tar archive; take the text file out of it"
    if head.lstrip(b"\xef\xbb\xbf \r\n\t").lower().startswith((b"<!doctype html", b"<html")):
        return "a web page, perhaps one that was saved in place of the download"
    return ""
