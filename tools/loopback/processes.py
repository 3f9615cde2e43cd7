"""Starts processes of one cluster on the loopback interface and watches them."""

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from types import FrameType

_POLL_SECONDS = 0.1
# After which a process that was asked to end is killed: it may be saving a checkpoint, or be
# waiting in a step for a process that has died, which TensorFlow notices after a minute at most.
_GRACE_SECONDS = 90.0
_USAGE_ERROR = 2


def main(argv: Sequence[str], description: str | None) -> int:
    """Runs a command several times; returns the exit code of the first process to fail."""
    parser = argparse.ArgumentParser(
        prog="tools/local_workers",
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("number", type=int, help="how many processes, 1 to 64")
    parser.add_argument("command", nargs=argparse.REMAINDER, help="what each runs, after --")
    arguments = parser.parse_args(argv)
    command = arguments.command[1:] if arguments.command[:1] == ["--"] else arguments.command
    if not 1 <= arguments.number <= 64 or not command:
        parser.print_usage(sys.stderr)
        return _USAGE_ERROR
    try:
        processes = [
            _start(command, configuration, rank)
            for rank, configuration in enumerate(loopback_configurations(arguments.number))
        ]
    except OSError as error:
        print(f"tools/local_workers: {command[0]}: {error.strerror}", file=sys.stderr)
        return _USAGE_ERROR
    return _watch(processes)


def loopback_configurations(number: int) -> list[str]:
    """A TF_CONFIG for each process, on ports that were free a moment ago."""
    sockets = [socket.socket() for _ in range(number)]
    try:
        for one in sockets:  # all at once, so that none is given twice
            one.bind(("127.0.0.1", 0))
        addresses = [f"127.0.0.1:{one.getsockname()[1]}" for one in sockets]
    finally:
        for one in sockets:
            one.close()
    return [
        json.dumps({"cluster": {"worker": addresses}, "task": {"type": "worker", "index": rank}})
        for rank in range(number)
    ]


def _start(command: Sequence[str], configuration: str, rank: int) -> "subprocess.Popen[str]":
    process = subprocess.Popen(
        command,
        env={**os.environ, "TF_CONFIG": configuration, "PYTHONUNBUFFERED": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        # So that a terminal's Ctrl-C comes once, from here, and not twice.
        start_new_session=True,
    )
    threading.Thread(target=_print_lines, args=(process, rank), daemon=True).start()
    return process


def _print_lines(process: "subprocess.Popen[str]", rank: int) -> None:
    for line in process.stdout or ():
        print(f"[{rank}] {line}", end="", flush=True)


def _watch(processes: "Sequence[subprocess.Popen[str]]") -> int:
    """Waits for all; ends the rest when one fails."""

    def pass_on(signum: int, frame: FrameType | None) -> None:
        for process in processes:
            if process.poll() is None:
                process.send_signal(signum)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, pass_on)
    first_failure, kill_at = 0, float("inf")
    while None in (codes := [process.poll() for process in processes]):
        failed = next((code for code in codes if code), 0)
        if failed and not first_failure:
            first_failure = failed
            kill_at = time.monotonic() + _GRACE_SECONDS
            pass_on(signal.SIGTERM, None)
        if time.monotonic() > kill_at:
            pass_on(signal.SIGKILL, None)
        time.sleep(_POLL_SECONDS)
    first_failure = first_failure or next((p.returncode for p in processes if p.returncode), 0)
    for thread in threading.enumerate():
        if thread.daemon:  # the last lines of each
            thread.join(timeout=1.0)
    return first_failure if first_failure >= 0 else 128 - first_failure
