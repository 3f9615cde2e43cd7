"""Lines of a text file, and exactly where it is not in the encoding it should be in."""

import codecs
import io
import itertools
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TextIO

from tf_finetune.errors import UserError
from tf_finetune.sources.encoding_guess import likely_encodings, wide_encoding
from tf_finetune.sources.file_content import open_bytes
from tf_finetune.sources.problems import Problems, show

# Far more than any document; a file of gigabytes without a line end would fill the memory.
LINE_LIMIT = 64 * 2**20
BLANK_LINES = "blank lines, which were skipped"
_CHUNK_BYTES = 1 << 20
_WINDOW_BYTES = 1 << 18  # before and after what cannot be decoded
_HEAD_BYTES = 4096
_NUL = "holds NUL characters; accepted: text"
_PART_CHARACTERS = 1 << 16


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
    lines = _read(path, name, encoding, problems, lambda file: bounded_lines(file, name, problems))
    seen = False
    for number, line in enumerate(lines, 1):
        if "\0" in line:
            if not seen:
                _stop_if_wide(path, f"{name}, row {number}", problems)
            seen = True
            problems.add(f"{name}, row {number}: {_NUL}")
            line = line.replace("\0", "")
        yield line


def read_parts(path: Path, name: str, encoding: str, problems: Problems) -> Iterator[str]:
    """Streams a file's text in parts that have nothing to do with its lines.

    The arguments are those of `read_lines`.
    """
    parts = _read(
        path, name, encoding, problems, lambda file: iter(lambda: file.read(_PART_CHARACTERS), "")
    )
    seen = False
    for part in parts:
        if "\0" in part and not seen:
            _stop_if_wide(path, name, problems)
            seen = True
            problems.add(f"{name}: {_NUL}")
        yield part


def _read(
    path: Path,
    name: str,
    encoding: str,
    problems: Problems,
    split: Callable[[TextIO], Iterator[str]],
) -> Iterator[str]:
    codec = codec_name(encoding)
    try:
        with io.TextIOWrapper(open_bytes(path), encoding=codec, newline="") as file:
            yield from split(file)
    except UnicodeError as error:
        problems.stop(undecodable(path, name, encoding, error))


def _stop_if_wide(path: Path, place: str, problems: Problems) -> None:
    """Ends the reading where every second byte of a file is zero: all rows have NUL characters."""
    with open_bytes(path) as file:
        wide = wide_encoding(file.read(_HEAD_BYTES))
    if wide:
        problems.stop(f"{place}: {_NUL} (the file looks like {wide}: set data.encoding: {wide})")


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
        f"({getattr(error, 'reason', error)}); {_encoding_advice(path, encoding, offset)}"
    )


def number_lines(lines: Iterable[str], problems: Problems) -> Iterator[tuple[int, str]]:
    """Numbers lines from 1 and takes off their ends; blank ones are counted and left out.

    Args:
        lines: Lines as `read_lines` or an open text file gives them.
        problems: Gets a note about blank lines.
    """
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield number, line.rstrip("\r\n")
        else:
            problems.note(BLANK_LINES, f"row {number}")


def _encoding_advice(path: Path, encoding: str, offset: int) -> str:
    """Which encodings the bytes around a place can be read in, with a line in each."""
    before = max(0, offset - _WINDOW_BYTES)
    with open_bytes(path) as file:
        head = file.read(_HEAD_BYTES)
    with open_bytes(path) as file:
        for start in range(0, before, _CHUNK_BYTES):
            file.read(min(_CHUNK_BYTES, before - start))
        window = file.read(2 * _WINDOW_BYTES)
        final = not file.read(1)
    if wide_encoding(head):
        window, final = head, False
    elif before:
        window = window[window.find(b"\n") + 1 :]
    high = [line for line in window.splitlines() if not line.isascii()]
    good = sum(_is_utf8(line) for line in high)
    if codecs.lookup(encoding).name in ("utf-8", "utf-8-sig"):
        if 2 * good >= len(high):
            return (
                f"{good:,} of the {len(high):,} lines near there that are not ASCII are UTF-8, so "
                "that no other encoding reads the file; accepted: a file of one encoding "
                "(correct this row, or convert the part that is not UTF-8)"
            )
    elif good == len(high):
        return "if the file is in another encoding, set data.encoding (perhaps utf-8)"
    found = likely_encodings(window, final=final)
    if not found:
        return (
            "no encoding that is tried reads the lines near there; accepted: text in one encoding"
        )
    shown = []
    for candidate in found:
        lines = candidate.text.splitlines()
        line = next((line for line in lines if not line.isascii()), next(iter(lines), ""))
        shown.append(f"{candidate.encoding}, which reads {show(line)}")
    return f"if the file is in another encoding, set data.encoding (perhaps {'; or '.join(shown)})"


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def _first_undecodable(path: Path, encoding: str) -> tuple[int, int]:
    """Byte offset (from 0) and row (from 1) of the first bytes that are not in an encoding."""
    # utf-8-sig counts its errors from behind the byte order mark, utf-8 from the start.
    codec = "utf-8" if codec_name(encoding) == "utf-8-sig" else encoding
    decoder = codecs.getincrementaldecoder(codec)()
    newlines = io.IncrementalNewlineDecoder(None, translate=True)
    offset, row = 0, 1
    with open_bytes(path) as file:
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
