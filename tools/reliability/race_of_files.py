"""Two processes that fill one cache, or write one journal; one of them may be killed."""

import os
import random
import socket
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from tf_finetune.data.splits import Split
from tf_finetune.prefix import layout as layouts
from tf_finetune.prefix.state_file import StateFile
from tf_finetune.searches.running.journal import Journal
from tools.reliability.forked import Forked

MOST_APART = 0.3  # seconds from one start to the other
_BLOCKS, _RECORDS = 16, 20
_BLOCK_SECONDS = 0.03


@dataclass
class Race:
    """What came of a race.

    Attributes:
        seconds: From the start of the second until it knew of the first.
        problems: What was not as it has to be.
    """

    seconds: float
    problems: list[str] = field(default_factory=list)


def race_for_cache(folder: Path, draws: random.Random, *, kill: bool) -> Race:
    """Two processes want the same states."""
    computed, told = folder / "computed", folder / "told"

    def fill(argv: Sequence[str]) -> int:
        return _fill(folder / "prefix", computed, told)

    pair = _start_pair(fill, folder, draws)
    if kill:
        _wait_for(computed)
        time.sleep(draws.uniform(0.0, _BLOCKS * _BLOCK_SECONDS * 0.8))
        next(p for p in pair if p.pid == _lines(computed)[0][0]).kill()
    codes = [process.wait() for process in pair]
    owner, blocks = _lines(computed)[0][0], Counter(block for _, block in _lines(computed))
    found = Race(0.0)
    if told.exists():
        other, *rest = told.read_text().split(" ", 2)
        found.seconds = float(rest[0]) - max(process.began for process in pair)
        if f"process {owner} on {socket.gethostname()}" not in rest[1]:
            found.problems.append(f"{other} was told of another one than {owner}: {rest[1]}")
    elif not kill:
        found.problems.append("nobody waited")
    if Counter(codes) != Counter([-9 if kill else 0, 0]):
        found.problems.append(f"exit codes {codes}: {[process.output for process in pair]}")
    # What a killed process was computing is not on the disk yet.
    if len(blocks) != _BLOCKS or blocks.total() > _BLOCKS + kill:
        found.problems.append(f"blocks computed: {dict(blocks)}")
    return found


def race_for_journal(folder: Path, draws: random.Random, *, kill: bool) -> Race:
    """Two processes write the records of one search."""
    path, written = folder / "journal.jsonl", folder / "written"

    def write(argv: Sequence[str]) -> int:
        journal = Journal(path, {"search": "raced"})
        for number in range(_RECORDS):
            journal.append({"process": os.getpid(), "number": number})
            _note(written, os.getpid(), number)
        return 0

    pair = _start_pair(write, folder, draws)
    if kill:
        _wait_for(written)
        time.sleep(draws.uniform(0.0, 0.1))
        writers = {process for process, _ in _lines(written)}
        running = [p for p in pair if p.pid in writers and p.poll() is None]
        for process in running[:1]:
            process.kill()
    codes = [process.wait() for process in pair]
    journal = Journal(path, {"search": "raced"})
    there = Counter((record["process"], record["number"]) for record in journal.records)
    found = Race(0.0)
    if not set(codes) <= {0, -9} or codes.count(-9) > kill:
        found.problems.append(f"exit codes {codes}: {[process.output for process in pair]}")
    lost = set(_lines(written)) - set(there)
    if lost or any(count > 1 for count in there.values()):
        found.problems.append(f"lost: {lost}; written: {dict(there)}")
    # A record may be torn by the kill, and is cut off by whoever writes or reads next.
    if any("torn" not in notice for notice in journal.notices):
        found.problems.append("; ".join(journal.notices))
    return found


def _fill(root: Path, computed: Path, told: Path) -> int:
    layouts.BLOCK_ROWS = 2
    rows = np.arange(2 * _BLOCKS)
    hashes, lengths = rows.astype(np.uint64), np.full(len(rows), 3, np.int32)
    store: Any = SimpleNamespace(key="store", lengths=lengths, text_hashes=hashes)
    layout = layouts.Layout(Split("train", store, rows, rows), 1, 2, np.dtype("float32"), False)
    values = np.arange(layout.tokens * 2, dtype=np.float32).reshape(-1, 2)

    def tell(line: str) -> None:
        if "waiting" in line:
            told.write_text(f"{os.getpid()} {time.monotonic()} {line}")

    def compute(index: int) -> np.ndarray:
        _note(computed, os.getpid(), index)
        time.sleep(_BLOCK_SECONDS)
        return values[layout.block_tokens(index)]

    file = StateFile(root, layout, "prefix")
    with file.one_writer(tell):
        missing = file.missing_blocks(tell)
        if missing:
            file.fill(missing, compute, lambda rows: None)
        return 0 if (file.open() == values).all() else 1


def _start_pair(
    main: Callable[[Sequence[str]], int], folder: Path, draws: random.Random
) -> list[Forked]:
    first = Forked(main, [], folder / "first.log")
    time.sleep(draws.uniform(0.0, MOST_APART))
    return [first, Forked(main, [], folder / "second.log")]


def _note(path: Path, process: int, number: int) -> None:
    """Appends a line, in one piece whoever else does."""
    with path.open("ab", buffering=0) as file:
        file.write(f"{process} {number}\n".encode())


def _lines(path: Path) -> list[tuple[int, int]]:
    lines = path.read_text().split("\n")[:-1]
    return [(int(process), int(number)) for process, number in map(str.split, lines)]


def _wait_for(path: Path) -> None:
    while not path.exists() or not path.stat().st_size:
        time.sleep(0.001)
