"""States on the disk: a folder a split and depth, filled block by block, each with a checksum.

`states.bin` holds the values in the layout's order, `blocks.jsonl` a line a finished block and
`manifest.json` what they are the states of. A block counts only when its line is there and its
checksum agrees; any other is computed (again). So a fill that was interrupted goes on, and a
cut, flipped or foreign file costs time and never gives a wrong state.
"""

import contextlib
import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tf_finetune.prefix.layout import Layout
from tf_finetune.storage.locking import InUse, owned_lock

STATES_FILE, BLOCKS_FILE, MANIFEST_FILE = "states.bin", "blocks.jsonl", "manifest.json"
_BYTES_READ = 1 << 20

ComputeBlock = Callable[[int], np.ndarray]
Tell = Callable[[str], None]


class StateFile:
    """The folder of one split's states at one depth.

    Args:
        root: Folder of all states.
        layout: Where each example's states stand.
        prefix_sha256: Hash of the prefix; see `prefix_digests`.
    """

    def __init__(self, root: Path, layout: Layout, prefix_sha256: str):
        self._root = root
        self._layout = layout
        self._parts = layout.parts(prefix_sha256)
        self.folder = root / layout.key(prefix_sha256)

    def is_filled(self) -> bool:
        """Whether every block was written once; `missing_blocks` says what has become of them."""
        return self._written().keys() >= set(range(self._layout.blocks))

    def is_only_readable(self) -> bool:
        """Whether states are there that this process may read but neither fill nor lock."""
        return self.folder.is_dir() and not os.access(self._root, os.W_OK)

    def missing_blocks(self, tell: Tell) -> list[int]:
        """Blocks that are not there, or not as they were written; names what is damaged."""
        try:
            manifest = json.loads((self.folder / MANIFEST_FILE).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return list(range(self._layout.blocks))
        except (OSError, ValueError):
            manifest = None
        if manifest != self._parts:
            tell(
                f"prefix cache: {self.folder / MANIFEST_FILE} is damaged or of another kind; "
                "computing all anew"
            )
            return list(range(self._layout.blocks))
        written, spoilt = self._read_lines()
        if spoilt:
            tell(
                f"prefix cache: {self.folder / BLOCKS_FILE}: {spoilt} damaged or cut lines; "
                "computing their blocks anew"
            )
        present = [index for index in range(self._layout.blocks) if index in written]
        with ThreadPoolExecutor() as pool:
            digests = dict(zip(present, pool.map(self._digest, present), strict=True))
        whole = {index for index in present if digests[index] == written[index].sha256}
        for index in present:
            if index not in whole:
                tell(
                    f"prefix cache: block {index} of {self.folder / STATES_FILE} is damaged; "
                    "computing it anew"
                )
        return [index for index in range(self._layout.blocks) if index not in whole]

    def fill(
        self,
        missing: list[int],
        compute: ComputeBlock,
        done: Callable[[int], None],
        *,
        seconds_before: float = 0.0,
    ) -> None:
        """Computes and writes blocks; each is durable before it counts.

        Args:
            missing: The blocks.
            compute: Gives the values of a block.
            done: Called with the rows of each block that is written.
            seconds_before: What the states took that all blocks are computed from.

        Raises:
            OSError: The folder cannot be written, such as when the disk is full.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        # Lines of another kind of states are gone before the manifest says which kind this is.
        self._keep_lines_without(missing)
        self._write_manifest()
        states = os.open(self.folder / STATES_FILE, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            os.ftruncate(states, self._layout.bytes)
            with (self.folder / BLOCKS_FILE).open("a", encoding="utf-8") as blocks:
                for index in missing:
                    began = time.perf_counter()
                    data = compute(index).tobytes()
                    seconds = time.perf_counter() - began + seconds_before / self._layout.blocks
                    _write_at(states, data, self._first_byte(index))
                    os.fsync(states)
                    blocks.write(_line(index, _Written(hashlib.sha256(data).hexdigest(), seconds)))
                    blocks.flush()
                    os.fsync(blocks.fileno())
                    done(len(self._layout.block(index)))
        finally:
            os.close(states)

    def open(self) -> np.ndarray:
        """The values `[tokens, hidden]`, mapped; marks the folder as used now."""
        with contextlib.suppress(OSError):  # another user's: then it counts as older
            os.utime(self.folder / MANIFEST_FILE)
        shape = (self._layout.tokens, self._layout.hidden)
        return np.memmap(self.folder / STATES_FILE, self._layout.dtype, "r", shape=shape)

    @contextlib.contextmanager
    def one_writer(self, tell: Tell) -> Iterator[None]:
        """Lets one process at a time check and fill; the others wait and find it filled."""
        self._root.mkdir(parents=True, exist_ok=True)
        lock = lock_of(self.folder)
        with contextlib.ExitStack() as held:
            try:
                held.enter_context(owned_lock(lock))
            except InUse as other:
                tell(f"prefix cache: waiting for {other}, which computes the same states")
                held.enter_context(owned_lock(lock, seconds=None))
            yield

    def remove(self) -> None:
        """Gives the disk back; call it as the one writer."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _write_manifest(self) -> None:
        # In one step, because others may look without waiting for the one writer.
        temporary = self.folder / f".{MANIFEST_FILE}.writing"
        temporary.write_text(json.dumps(self._parts, indent=2) + "\n", encoding="utf-8")
        temporary.replace(self.folder / MANIFEST_FILE)

    def _keep_lines_without(self, missing: list[int]) -> None:
        kept = {index: block for index, block in self._written().items() if index not in missing}
        lines = [_line(index, block) for index, block in kept.items()]
        (self.folder / BLOCKS_FILE).write_text("".join(lines), encoding="utf-8")

    @property
    def fill_seconds(self) -> float:
        """What computing all blocks took, in whichever processes."""
        return sum(block.seconds for block in self._written().values())

    def _written(self) -> dict[int, "_Written"]:
        """Every block that has a whole line."""
        return self._read_lines()[0]

    def _read_lines(self) -> tuple[dict[int, "_Written"], int]:
        """Every block that has a whole line, and how many lines are not as they were written."""
        try:
            *lines, rest = (self.folder / BLOCKS_FILE).read_bytes().split(b"\n")
        except OSError:
            return {}, 0
        written, spoilt = {}, int(bool(rest))  # a killed process may leave a cut line
        for line in lines:
            try:
                entry = json.loads(line)
                index, block = entry["block"], _Written(entry["sha256"], entry["seconds"])
                if _line(index, block).encode() != line + b"\n":
                    raise ValueError("not as it was written")
                written[index] = block
            except (ValueError, KeyError, TypeError):
                spoilt += 1  # it vouches for no block
        return written, spoilt

    def _digest(self, index: int) -> str | None:
        """Checksum of a block as it is in the file; None if it cannot be read."""
        tokens = self._layout.block_tokens(index)
        left = (tokens.stop - tokens.start) * self._layout.hidden * self._layout.dtype.itemsize
        digest = hashlib.sha256()
        try:
            with (self.folder / STATES_FILE).open("rb") as file:
                file.seek(self._first_byte(index))
                # In pieces, because many threads do this at once.
                while piece := file.read(min(left, _BYTES_READ)):
                    digest.update(piece)
                    left -= len(piece)
        except OSError:
            return None
        return digest.hexdigest()

    def _first_byte(self, index: int) -> int:
        first = self._layout.block_tokens(index).start
        return int(first * self._layout.hidden * self._layout.dtype.itemsize)


class _Written(NamedTuple):
    """What a line of `blocks.jsonl` says about a block."""

    sha256: str
    seconds: float


def _line(index: int, block: _Written) -> str:
    """A line of `blocks.jsonl`; `line_sha256` is of all that stands before it."""
    start = json.dumps({"block": index, **block._asdict()})[:-1]
    digest = hashlib.sha256(start.encode()).hexdigest()
    return f'{start}, "line_sha256": "{digest}"}}\n'


def lock_of(folder: Path) -> Path:
    """File that a process locks while it checks, fills or removes a folder of states."""
    return folder.with_name(f"{folder.name}.lock")


def _write_at(descriptor: int, data: bytes, offset: int) -> None:
    view = memoryview(data)
    while view:
        written = os.pwrite(descriptor, view, offset)
        view, offset = view[written:], offset + written
