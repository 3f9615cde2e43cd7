"""The record of a search: an append-only file that survives whatever ends the process.

Every line is a JSON object `{"record": …, "sha256": …}` with the SHA-256 of the record,
forced to the disk before `append` returns. The first record says what the search belongs
to. What is torn or damaged is noticed, named and left out, so that only its trial is run
again.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from filelock import FileLock

from tf_finetune.errors import UserError
from tf_finetune.storage.disk_space import told_when_full
from tf_finetune.storage.files import sync_folder

FORMAT = 1


class Journal:
    """A journal, opened or made.

    Several processes may append; each sees what the others wrote after `refresh`.

    Args:
        path: The file; its folder has to exist.
        identity: What the records belong to, nested mappings of JSON values.

    Attributes:
        records: All whole records in the order of the file, without the first.
        notices: One line for each torn or damaged one.

    Raises:
        UserError: The file belongs to something else, or its first line is damaged.
    """

    def __init__(self, path: Path, identity: Mapping[str, Any]):
        self.path = path
        self.records: list[dict[str, Any]] = []
        self.notices: list[str] = []
        self._lock = FileLock(path.with_name(f".{path.name}.lock"))
        self._offset = 0
        self._lines = 0
        # As JSON gives it back: lists, not tuples.
        self._identity: dict[str, Any] = json.loads(_canonical(identity))
        with self._lock:
            began = path.exists()
            torn = self._read()
            if self._lines == 0:
                if began:
                    self.notices.append(
                        f"{path}:1: the first line is torn or missing: no earlier trial is known"
                    )
                self._write({"format": FORMAT, "identity": self._identity})
                sync_folder(path.parent)
                self.refresh()
            elif torn:
                self.notices.append(
                    f"{path}:{self._lines + 1}: the last line is torn (the process was ended while "
                    "it wrote): its trial is run again"
                )

    def append(self, record: Mapping[str, Any]) -> None:
        """Adds a record and waits until the disk has it.

        Raises:
            UserError: It cannot be written, with `DiskFullError` for want of room; what stood in
                the file still does.
        """
        with self._lock:
            self._write(record)
            self._read()

    def refresh(self) -> None:
        """Reads what other processes have added."""
        self._read()

    def _write(self, record: Mapping[str, Any]) -> None:
        line = _line(record) + b"\n"
        mode = "r+b" if self.path.exists() else "xb"
        try:
            with told_when_full(self.path, len(line)), self.path.open(mode) as file:
                # Cuts off what a killed process left of a line.
                file.truncate(_end_of_lines(self.path))
                file.seek(0, os.SEEK_END)
                file.write(line)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise UserError(
                f"{self.path}: cannot be written: {error.strerror or error}",
                hint="What was found so far is kept: start the same command again.",
            ) from error

    def _read(self) -> bool:
        """Reads whole lines from where reading ended; returns whether a torn one follows."""
        if not self.path.exists():
            return False
        with self.path.open("rb") as file:
            file.seek(self._offset)
            content = file.read()
        whole, newline, rest = content.rpartition(b"\n")
        self._offset += len(whole) + len(newline)
        for line in whole.split(b"\n") if newline else ():
            self._lines += 1
            record = _checked(line)
            if self._lines == 1:
                self._check_header(record)
            elif record is None:
                self.notices.append(
                    f"{self.path}:{self._lines}: the line is damaged (its checksum does not "
                    "match): its trial is run again"
                )
            else:
                self.records.append(record)
        return bool(rest)

    def _check_header(self, header: dict[str, Any] | None) -> None:
        hint = "Choose another run.dir, or replace this search with run.overwrite=true."
        if header is None or not isinstance(header.get("identity"), dict):
            raise UserError(
                f"{self.path}:1: the line that says what the search belongs to is damaged", hint
            )
        if header.get("format") != FORMAT:
            raise UserError(
                f"{self.path}:1: format {header.get('format')}; accepted: {FORMAT} (it was "
                "written by another version)",
                hint,
            )
        differences = _differences(header["identity"], self._identity)
        if differences:
            raise UserError(
                [f"{self.path} belongs to another search: {line}" for line in differences], hint
            )


def checked_records(path: Path) -> tuple[list[dict[str, Any]], list[int]]:
    """The whole records of a journal, its first one too, and the lines that are damaged or torn.

    Nothing is written or locked.
    """
    *lines, rest = path.read_bytes().split(b"\n")
    records = [_checked(line) for line in (lines + [rest] if rest else lines)]
    if rest and records:
        records[-1] = None
    damaged = [number for number, record in enumerate(records, 1) if record is None]
    return [record for record in records if record is not None], damaged or ([] if records else [1])


def _canonical(record: Mapping[str, Any]) -> str:
    """One line of JSON; equal records give equal text."""
    return json.dumps(record, sort_keys=True, separators=(",", ":"), allow_nan=False)


def _line(record: Mapping[str, Any]) -> bytes:
    text = _canonical(record)
    digest = hashlib.sha256(text.encode()).hexdigest()
    return f'{{"record":{text},"sha256":"{digest}"}}'.encode()


def _checked(line: bytes) -> dict[str, Any] | None:
    """The record of a line, or None if the line is not, byte by byte, what was written."""
    try:
        record = json.loads(line)["record"]
        whole = isinstance(record, dict) and _line(record) == line
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return record if whole else None


def _end_of_lines(path: Path) -> int:
    """Bytes up to and with the last newline."""
    content = path.read_bytes()
    return content.rfind(b"\n") + 1


def _differences(there: Any, here: Any, name: str = "") -> list[str]:
    if isinstance(there, dict) and isinstance(here, dict):
        found = []
        for key in sorted({*there, *here}):
            inner = f"{name}.{key}" if name else key
            found += _differences(there.get(key), here.get(key), inner)
        return found
    if there == here:
        return []
    if name.endswith("sha256"):
        return [f"{name.removesuffix('_sha256').replace('_', ' ')}: other content"]
    return [f"{name}: received {json.dumps(here)}, there {json.dumps(there)}"]
