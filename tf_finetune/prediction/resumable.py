"""An output file that appears complete, and keeps what was done if it is not.

Answers are appended to `OUTPUT.partial`; after each chunk a small record beside it,
`OUTPUT.progress.json`, says how many bytes hold how many texts. The record is replaced in one
step and only after the answers are on the disk, so whatever follows its bytes is what an
interruption cut off, and is dropped.
"""

import errno
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol, TextIO

from tf_finetune.errors import UserError
from tf_finetune.prediction.delimited import DELIMITERS
from tf_finetune.storage.disk_space import told_when_full
from tf_finetune.storage.files import sync_file, sync_folder, write_json
from tf_finetune.storage.locking import InUse, owned_lock

JSON_LINES = (".jsonl", ".ndjson")
PARQUET = (".parquet", ".pq")


@dataclass(frozen=True)
class Done:
    """How far a prediction has come.

    Attributes:
        texts: Texts that are answered.
        bytes: Bytes of the partial file that hold them.
        digest: SHA-256 over those texts, hex; "" of none.
    """

    texts: int = 0
    bytes: int = 0
    digest: str = ""


class Output(Protocol):
    """Where answers go."""

    done: Done

    def append(self, lines: str, texts: int, digest: str) -> None:
        """Writes the answers of a chunk.

        Args:
            lines: A JSON object a line.
            texts: How many.
            digest: SHA-256 of all texts so far.
        """


class OpenStream:
    """Standard output or another stream: there is nothing to go on from."""

    def __init__(self, stream: TextIO):
        self.done = Done()
        self._stream = stream

    def append(self, lines: str, texts: int, digest: str) -> None:
        """Writes the answers of a chunk and passes them on at once."""
        self._stream.write(lines)
        self._stream.flush()
        self.done = Done(self.done.texts + texts, 0, digest)


class ResumableFile:
    """A file of answers that a second call goes on with.

    Args:
        path: The file; what has the name is replaced at the end.
        job: What decides the answers, by name. A partial file of another job is not touched.

    Attributes:
        done: What is already there.

    Raises:
        UserError: The place cannot be written to, another process is at it, or the partial
            file there is damaged or of another job.
    """

    def __init__(self, path: Path, job: Mapping[str, Any]):
        self.path = path
        self.partial = path.with_name(f"{path.name}.partial")
        self.record = path.with_name(f"{path.name}.progress.json")
        self._job = dict(job)
        self._held = ExitStack()
        try:
            with _errors_named(path):
                self._held.enter_context(owned_lock(path.with_name(f".{path.name}.lock")))
        except InUse as other:
            raise UserError(f"--output: {path} is being written by {other}") from None
        try:
            with _errors_named(path):
                self.done = self._read_record()
                self._file = self.partial.open("r+b" if self.done.texts else "wb")
                self._file.truncate(self.done.bytes)
                self._file.seek(self.done.bytes)
        except UserError:
            self._held.close()
            raise

    def append(self, lines: str, texts: int, digest: str) -> None:
        """Writes the answers of a chunk to the disk, then notes that they are there.

        Raises:
            UserError: They cannot be written, with `DiskFullError` for want of room; what was
                noted before stays.
        """
        content = lines.encode()
        with _errors_named(self.path, len(content)):
            self._file.write(content)
            self._file.flush()
            os.fsync(self._file.fileno())
        self.done = Done(self.done.texts + texts, self.done.bytes + len(content), digest)
        write_json(self.record, {"job": self._job, "done": asdict(self.done)})

    def finish(self, convert: Callable[[Path, Path], list[str]] | None = None) -> list[str]:
        """Gives the file its name.

        Args:
            convert: Writes the lines of the first file to the second in another format.

        Returns:
            What `convert` says.
        """
        ready, said = self.partial, []
        with _errors_named(self.path):
            try:
                if convert is not None:
                    ready = self.path.with_name(f".{self.path.name}.converting")
                    said = convert(self.partial, ready)
                    sync_file(ready)
                ready.replace(self.path)
            finally:
                if ready != self.partial:
                    ready.unlink(missing_ok=True)
        sync_folder(self.path.parent)
        self.discard()
        return said

    def discard(self) -> None:
        """Removes the partial file and its record."""
        self.record.unlink(missing_ok=True)
        self.partial.unlink(missing_ok=True)

    def close(self) -> None:
        """Closes the partial file, which stays for the next call if anything is in it."""
        with suppress(OSError):  # of a full disk again, for what the last `append` could not write
            self._file.close()
        if not self.done.texts:
            self.partial.unlink(missing_ok=True)
        self._held.close()

    def _read_record(self) -> Done:
        try:
            there = json.loads(self.record.read_text(encoding="utf-8"))
            job, done = dict(there["job"]), Done(**there["done"])
            if self.partial.stat().st_size < done.bytes:
                raise ValueError("answers are missing")
        except FileNotFoundError:
            return Done()
        except (ValueError, KeyError, TypeError):
            raise self._refusal("are damaged") from None
        different = sorted(
            name for name in {*job, *self._job} if job.get(name) != self._job.get(name)
        )
        if different:
            raise self._refusal(f"are of another prediction ({', '.join(different)} differ)")
        return done

    def _refusal(self, reason: str) -> UserError:
        return UserError(
            f"--output: {self.partial} and {self.record.name} {reason}",
            hint="Remove both, or choose another --output.",
        )


def check_output(
    path: str, accepted: tuple[str, ...] = JSON_LINES + tuple(DELIMITERS) + PARQUET
) -> Path:
    """Checks before any work is done whether a file may be written.

    Args:
        path: The file.
        accepted: Endings that name a format.

    Raises:
        UserError: The format is not one that is written, or the place is a folder.
    """
    target = Path(path).expanduser()
    if target.is_dir():
        raise UserError(f"--output: {path} is a folder; accepted: a file")
    if target.suffix.lower() not in accepted:
        raise UserError(
            f"--output: {path}: the ending {target.suffix!r} names no format that is written; "
            f"accepted: {', '.join(accepted)}"
        )
    if not target.parent.is_dir():
        raise UserError(f"--output: {path} cannot be written: there is no folder {target.parent}")
    return target


@contextmanager
def _errors_named(path: Path, needed_bytes: int | None = None) -> Iterator[None]:
    """Tells what goes wrong with a write inside the block as a problem of `--output`."""
    try:
        with told_when_full(path, needed_bytes, option="--output"):
            yield
    except OSError as error:
        reason = error.strerror or os.strerror(error.errno or errno.EIO)
        raise UserError(f"--output: {path} cannot be written: {reason}") from None
