"""Lines of a text file, and exactly where it is not in the encoding it should be in."""

import codecs
import io
import itertools
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TextIO

from tf_finetune.data.sources.problems import Problems, show
from tf_finetune.errors import UserError

# Far more than any document; a file of gigabytes without a line end would fill the memory.
LINE_LIMIT = 64 * 2**20
_CHUNK_BYTES = 1 << 20


def codec_name(encoding: str) -> str:
    """The codec to open files with: UTF-8 takes a byte order mark or none.

    Args:
        encoding: The option `data.encoding`, a name that Python knows.

    Raises:
        UserError: The codec is not for text (`rot13`, `hex`).
    """
    try:
        io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    except LookupError as error:
        raise UserError(
            f"data.encoding: received {show(encoding)}; accepted: a text encoding such as utf-8"
        ) from error
    name = codecs.lookup(encoding).name
    return "utf-8-sig" if name == "utf-8" else name


def read_lines(path: Path, name: str, encoding: str, problems: Problems) -> Iterator[str]:
    """Streams the lines of a file with their line ends as they are (LF, CRLF or CR).

    NUL characters are noted as problems and taken out: the csv module of Python 3.10 cannot
    read past them.

    Args:
        path: The file.
        name: What to call it in messages.
        encoding: The option `data.encoding`.
        problems: Gets what is wrong; bytes that cannot be decoded, and a line of more than
            `LINE_LIMIT` characters, end the reading.
    """
    codec = codec_name(encoding)
    try:
        with open(path, encoding=codec, newline="") as file:
            for number, line in enumerate(bounded_lines(file, name, problems), 1):
                if "\0" in line:
                    problems.add(
                        f"{name}, row {number}: holds NUL characters; accepted: text "
                        "(a UTF-16 file needs data.encoding: utf-16)"
                    )
                    line = line.replace("\0", "")
                yield line
    except UnicodeError as error:
        problems.stop(undecodable(path, name, encoding, error))


def bounded_lines(file: TextIO, name: str, problems: Problems) -> Iterator[str]:
    """The lines of an open text file, ends included, up to one of more than `LINE_LIMIT`.

    Args:
        file: The file; its line ends are those it was opened with.
        name: What to call it in messages.
        problems: Gets the line that is too long, which ends the reading.
    """
    # One character more than is accepted, so that a CR there is never cut from its LF.
    for number in itertools.count(1):
        line = file.readline(LINE_LIMIT + 1)
        if not line:
            return
        if len(line) > LINE_LIMIT:
            problems.stop(
                f"{name}, row {number}: has more than {LINE_LIMIT:,} characters without a line "
                "end; accepted: shorter lines"
            )
        yield line


def undecodable(path: Path, name: str, encoding: str, error: UnicodeError) -> str:
    """The message about a file that is not in its encoding.

    Args:
        path: The file.
        name: What to call it.
        encoding: The option `data.encoding`.
        error: What decoding it raised; where, it does not say reliably.
    """
    offset, row = _first_undecodable(path, encoding)
    return (
        f"{name}, row {row}: byte {offset} (0x{offset:x}) is not {encoding} "
        f"({getattr(error, 'reason', error)}); if the file is in another encoding, set "
        f"data.encoding (perhaps {_guess_encoding(path, encoding, offset)})"
    )


def number_lines(lines: Iterable[str], name: str, problems: Problems) -> Iterator[tuple[int, str]]:
    """Numbers lines from 1 and takes off their ends; blank ones only pass at the very end.

    Args:
        lines: Lines as `read_lines` or an open text file gives them.
        name: What to call their source in messages.
        problems: Gets each blank line that is followed by another line.
    """
    blank: list[int] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            blank.append(number)
            continue
        add_blank_lines(blank, name, problems)
        blank.clear()
        yield number, line.rstrip("\r\n")


def add_blank_lines(rows: Iterable[int], name: str, problems: Problems) -> None:
    """Notes blank lines between others: an example may be missing there."""
    for row in rows:
        problems.add(f"{name}, row {row}: is blank; blank lines may only end a file")


def _guess_encoding(path: Path, encoding: str, offset: int) -> str:
    """The encoding that the bytes at a place look like."""
    with open(path, "rb") as file:
        start = file.read(2)
        file.seek(max(0, offset - 1))  # UTF-8 fails at either byte of a GB18030 pair
        window = file.read(4096)
    if start in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        return "utf-16"
    if codecs.lookup(encoding).name not in ("utf-8", "utf-8-sig"):
        return "utf-8"
    # Western letters above ASCII mostly stand alone, double-byte characters never do.
    runs = re.findall(rb"[\x80-\xff]+", window)
    doubled = sum(len(run) > 1 for run in runs)
    return "gb18030" if doubled > len(runs) / 2 else "cp1252"


def _first_undecodable(path: Path, encoding: str) -> tuple[int, int]:
    """Byte offset (from 0) and row (from 1) of the first bytes that are not in an encoding."""
    # utf-8-sig counts its errors from behind the byte order mark, utf-8 from the start.
    codec = "utf-8" if codec_name(encoding) == "utf-8-sig" else encoding
    decoder = codecs.getincrementaldecoder(codec)()
    newlines = io.IncrementalNewlineDecoder(None, translate=True)
    offset, row = 0, 1
    with open(path, "rb") as file:
        while True:
            chunk = file.read(_CHUNK_BYTES)
            state = decoder.getstate()
            try:
                text = decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                # The error counts from the bytes that were held back from the last chunk.
                start = error.start - len(state[0])
                decoder.setstate(state)
                try:
                    good = newlines.decode(decoder.decode(chunk[: max(0, start)]))
                except UnicodeError:  # UTF-16 whose byte order mark is missing too
                    return offset, row
                return offset + start, row + good.count("\n")
            except UnicodeError:  # UTF-16 without a byte order mark, which has no place
                return offset, row
            row += newlines.decode(text).count("\n")
            offset += len(chunk)
            if not chunk:
                return offset, row
