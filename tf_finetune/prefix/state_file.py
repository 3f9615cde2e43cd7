"""States on the disk: a folder a split and depth, filled block by block, each with a checksum.

`states.bin` holds the values in the layout's order, `blocks.jsonl` a line a finished block and
`manifest.json` what they are the states of. A block counts only when its line is there and its
checksum agrees; any other is computed (again). So a fill that was interrupted goes on, and a
cut, flipped or foreign file costs time and never gives a wrong state.
"""

import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
from filelock import FileLock, Timeout

from tf_finetune.files import write_json
from tf_finetune.prefix.layout import Layout

STATES_FILE, BLOCKS_FILE, MANIFEST_FILE = "states.bin", "blocks.jsonl", "manifest.json"

ComputeBlock = Callable[[int], np.ndarray]
Tell = Callable[[str], None]


class StateFile:
    """The folder of one split's states at one depth.

    Args:
        root: Folder of all states.
        layout: Where each example's states stand.
        prefix_sha256: Hash of the prefix; see `prefix_sha256`.
    """

    def __init__(self, root: Path, layout: Layout, prefix_sha256: str):
        self._root = root
        self._layout = layout
        self._parts = layout.parts(prefix_sha256)
        self.folder = root / layout.key(prefix_sha256)

    def missing_blocks(self, tell: Tell) -> list[int]:
        """Blocks that are not there, or not as they were written; names what is damaged."""
        try:
            manifest = json.loads((self.folder / MANIFEST_FILE).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return list(range(self._layout.blocks))
        except (OSError, ValueError) as error:
            manifest = None
            tell(f"prefix cache: {self.folder / MANIFEST_FILE} is unreadable ({error})")
        if manifest != self._parts:
            tell(f"prefix cache: {self.folder} is damaged or of another kind; filling it again")
            shutil.rmtree(self.folder, ignore_errors=True)
            return list(range(self._layout.blocks))
        written = {index: block.sha256 for index, block in self._written().items()}
        with ThreadPoolExecutor() as pool:
            found = pool.map(self._digest, range(self._layout.blocks))
        missing = []
        for index, digest in enumerate(found):
            if written.get(index) != digest:
                missing.append(index)
                if index in written:
                    tell(
                        f"prefix cache: block {index} of {self.folder / STATES_FILE} is damaged; "
                        "computing it again"
                    )
        return missing

    def fill(self, missing: list[int], compute: ComputeBlock, done: Callable[[int], None]) -> None:
        """Computes and writes blocks; each is durable before it counts.

        Raises:
            OSError: The folder cannot be written, such as when the disk is full.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        write_json(self.folder / MANIFEST_FILE, self._parts)
        self._keep_lines_without(missing)
        states = os.open(self.folder / STATES_FILE, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            os.ftruncate(states, self._layout.bytes)
            with (self.folder / BLOCKS_FILE).open("a", encoding="utf-8") as blocks:
                for index in missing:
                    began = time.perf_counter()
                    data = compute(index).tobytes()
                    seconds = time.perf_counter() - began
                    _write_at(states, data, self._first_byte(index))
                    os.fsync(states)
                    blocks.write(_line(index, _Written(_sha256(data), seconds)))
                    blocks.flush()
                    os.fsync(blocks.fileno())
                    done(len(self._layout.block(index)))
        finally:
            os.close(states)

    def open(self) -> np.ndarray:
        """The values `[tokens, hidden]`, mapped; marks the folder as used now."""
        os.utime(self.folder / MANIFEST_FILE)
        shape = (self._layout.tokens, self._layout.hidden)
        return np.memmap(self.folder / STATES_FILE, self._layout.dtype, "r", shape=shape)

    @contextmanager
    def one_writer(self) -> Iterator[None]:
        """Lets one process at a time check and fill; the others wait and find it filled."""
        self._root.mkdir(parents=True, exist_ok=True)
        with FileLock(_lock_of(self.folder)):
            yield

    def _keep_lines_without(self, missing: list[int]) -> None:
        kept = {index: block for index, block in self._written().items() if index not in missing}
        lines = [_line(index, block) for index, block in kept.items()]
        (self.folder / BLOCKS_FILE).write_text("".join(lines), encoding="utf-8")

    @property
    def fill_seconds(self) -> float:
        """What computing all blocks took, in whichever processes."""
        return sum(block.seconds for block in self._written().values())

    def _written(self) -> dict[int, "_Written"]:
        """Every block that has a whole line; the last line may be cut."""
        try:
            lines = (self.folder / BLOCKS_FILE).read_bytes().splitlines()
        except FileNotFoundError:
            return {}
        written = {}
        for line in lines:
            try:
                entry = json.loads(line)
                block = _Written(str(entry["sha256"]), float(entry["seconds"]))
                written[int(entry["block"])] = block
            except (ValueError, KeyError, TypeError):
                continue  # a line that was cut or damaged vouches for no block
        return written

    def _digest(self, index: int) -> str | None:
        tokens = self._layout.block_tokens(index)
        size = (tokens.stop - tokens.start) * self._layout.hidden * self._layout.dtype.itemsize
        try:
            with (self.folder / STATES_FILE).open("rb") as file:
                file.seek(self._first_byte(index))
                data = file.read(size)
        except FileNotFoundError:
            return None
        return _sha256(data) if len(data) == size else None

    def _first_byte(self, index: int) -> int:
        first = self._layout.block_tokens(index).start
        return int(first * self._layout.hidden * self._layout.dtype.itemsize)


class _Written(NamedTuple):
    """What a line of `blocks.jsonl` says about a block."""

    sha256: str
    seconds: float


def _line(index: int, block: _Written) -> str:
    return json.dumps({"block": index, **block._asdict()}) + "\n"


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def make_room(root: Path, needed: int, budget: int, keep: Path) -> int:
    """Removes the least recently used folders until `needed` more bytes fit into the budget.

    A folder that another process is filling stays; one that a process has mapped keeps its
    data for that process.

    Returns:
        Bytes that are free within the budget and on the disk afterwards.
    """
    folders = [f for f in root.iterdir() if f.is_dir() and f != keep] if root.is_dir() else []
    folders.sort(key=_last_used)
    room = _room(root, budget, keep)
    for folder in folders:
        if room >= needed:
            break
        try:
            with FileLock(_lock_of(folder), timeout=0):
                shutil.rmtree(folder, ignore_errors=True)
        except Timeout:
            continue
        _lock_of(folder).unlink(missing_ok=True)
        room = _room(root, budget, keep)
    return room


def _room(root: Path, budget: int, keep: Path) -> int:
    if not root.is_dir():
        root.mkdir(parents=True)
    used = sum(_allocated(f) for f in root.glob("*/*") if f.parent != keep)
    own = _allocated(keep / STATES_FILE)
    return min(budget - used, shutil.disk_usage(root).free + own)


def _allocated(file: Path) -> int:
    try:
        return file.stat().st_blocks * 512
    except FileNotFoundError:
        return 0


def _last_used(folder: Path) -> float:
    try:
        return (folder / MANIFEST_FILE).stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _lock_of(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.lock")


def _write_at(descriptor: int, data: bytes, offset: int) -> None:
    view = memoryview(data)
    while view:
        written = os.pwrite(descriptor, view, offset)
        view, offset = view[written:], offset + written
