"""Runs a command, kills it at random moments, and starts it again until it ends by itself."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


class ChaosError(Exception):
    """The harness could not do its work; the message says why."""


def kill_hard(process: "subprocess.Popen[str]") -> None:
    """SIGKILL to a process and its whole group."""
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


@dataclass(frozen=True)
class Ended:
    """How a command ended that was stopped again and again.

    Attributes:
        killed_after: Seconds from each start to its kill.
        output: What the last start printed.
        seconds: Of the last start.
    """

    killed_after: list[float]
    output: str
    seconds: float


def run_whole(command: list[str], root: Path) -> Ended:
    """Runs a command to its end.

    Raises:
        ChaosError: It failed.
    """
    return run_killed(command, root, kills=0, span=0.0, moments=random.Random(0))


def run_killed(
    command: list[str],
    root: Path,
    *,
    kills: int,
    span: float,
    moments: random.Random,
    stop: Callable[["subprocess.Popen[str]"], None] = kill_hard,
    earliest: float = 0.0,
) -> Ended:
    """Stops a command at random moments until it ends by itself.

    Args:
        command: The command; started again it has to go on where it was.
        root: Folder to run it in.
        kills: How often it is killed at most.
        span: Moments are drawn up to this many seconds after a start.
        moments: Draws them.
        stop: Stops a process and waits for its end.
        earliest: Moments are drawn from this many seconds on.

    Raises:
        ChaosError: A start failed by itself.
    """
    killed_after: list[float] = []
    while True:
        moment = moments.uniform(earliest, span) if len(killed_after) < kills else None
        began = time.monotonic()
        process = _start(command, root)
        try:
            output, _ = process.communicate(timeout=moment)
        except subprocess.TimeoutExpired:
            stop(process)
            killed_after.append(time.monotonic() - began)
            print(f"  stopped after {killed_after[-1]:.1f} s", file=sys.stderr, flush=True)
            continue
        # A kill between the last file and the exit leaves a finished run.
        if process.returncode != 0 and "holds a finished" not in output:
            raise ChaosError(f"exit code {process.returncode}:\n{output[-2000:]}")
        return Ended(killed_after, output, time.monotonic() - began)


def _start(command: list[str], root: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command,
        cwd=root,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        env={**os.environ, "HF_HUB_OFFLINE": "1"},
    )
