"""Starts one measured program and watches what else the machine was doing meanwhile.

A PyTorch loop that shares its cores with one other busy process slows down several times over:
its threads wait for each other after every operation. TensorFlow's pool suffers less. On a
busy machine the comparison would therefore flatter one side, so each run records how much CPU
time other processes took.
"""

import dataclasses
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Generic

from tools.benchmarks.measurement import Record
from tools.benchmarks.torch_environment import BenchError

# Share of all cores; an idle desktop stays well below.
DISTURBED_ABOVE = 0.05
PROC_STAT = Path("/proc/stat")
# user, nice, system, irq, softirq, steal: proc_stat(5). Idle and iowait are not work.
BUSY_FIELDS = (0, 1, 2, 5, 6, 7)


@dataclasses.dataclass(frozen=True)
class ProgramRun(Generic[Record]):
    """One finished run.

    Attributes:
        measurement: What the program reported.
        foreign_load: CPU time of other processes over the CPU time there was, 0 to 1; None
            where the system does not tell.
    """

    measurement: Record
    foreign_load: float | None

    @property
    def disturbed(self) -> bool:
        """Whether others took enough CPU time to spoil the figures."""
        return self.foreign_load is not None and self.foreign_load > DISTURBED_ABOVE


def run_program(
    command: list[str], root: Path, parse: Callable[[str], Record]
) -> ProgramRun[Record]:
    """Runs a measured program to its end.

    Args:
        command: The program and its options; the time of its start is added.
        root: Folder to run it in.
        parse: Reads what it printed.

    Raises:
        BenchError: If it fails or does not report a measurement.
    """
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as stderr:
        busy, own, begun = _busy_seconds(), _children_seconds(), time.perf_counter()
        result = subprocess.run(
            [*command, "--started-at", repr(time.time())],
            cwd=root,
            env={**os.environ, "HF_HUB_OFFLINE": "1"},
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            check=False,
        )
        wall = time.perf_counter() - begun
        load = _foreign_load(busy, own, wall)
        stderr.seek(0)
        errors = stderr.read()
    if result.returncode:
        tail = "\n".join(errors.strip().splitlines()[-12:])
        raise BenchError(f"exit code {result.returncode} from {' '.join(command)}\n{tail}")
    return ProgramRun(parse(result.stdout), load)


def json_lines(command: list[str], root: Path) -> Iterator[dict[str, Any]]:
    """Runs a program and gives each JSON object that it prints, as soon as it does.

    Raises:
        BenchError: If it fails, after what it had printed.
    """
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout or ():
            if line.startswith("{"):
                yield json.loads(line)
    if process.returncode:
        raise BenchError(f"exit code {process.returncode} from {' '.join(command)}")


def _foreign_load(busy: float | None, own: float | None, wall: float) -> float | None:
    """Share of the machine's CPU time that went elsewhere since the given readings."""
    busy_now, own_now = _busy_seconds(), _children_seconds()
    if busy is None or own is None or busy_now is None or own_now is None:
        return None
    foreign = (busy_now - busy) - (own_now - own)
    return min(1.0, max(0.0, foreign / (wall * (os.cpu_count() or 1))))


def _busy_seconds() -> float | None:
    """CPU seconds that all cores have worked since the start of the machine."""
    if not PROC_STAT.exists():
        return None
    ticks = [int(field) for field in PROC_STAT.read_text().split("\n", 1)[0].split()[1:]]
    return sum(ticks[i] for i in BUSY_FIELDS) / os.sysconf("SC_CLK_TCK")


def _children_seconds() -> float | None:
    """CPU seconds of this process's finished children."""
    if os.name == "nt":
        return None
    times = os.times()
    return times.children_user + times.children_system
