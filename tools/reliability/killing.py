"""Starts a command again and again, stopping it at chosen moments, until it ends by itself."""

import random
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from tools.reliability.forked import Forked
from tools.reliability.watching import Watched

_POLL_SECONDS = 0.0003
_POLL_PROCESSOR_SECONDS = 0.005
# By then a new process has our signal handlers.
_EARLIEST_SECONDS = 0.3

# Waits for a moment; False if the process came to its end before.
Moment = Callable[[Forked], bool]
Stop = Callable[[Forked], None]


class ChaosError(Exception):
    """The harness could not do its work; the message says why."""


@dataclass
class Ended:
    """How a command ended that was stopped again and again.

    Attributes:
        stops: How often it was stopped.
        output: What the last start printed.
        seconds: Of the last start.
        processor_seconds: Of the last start, of the processor's time.
    """

    stops: int = 0
    output: str = ""
    seconds: float = 0.0
    processor_seconds: float = 0.0


@dataclass
class Tally:
    """Where runs were when they were stopped.

    Attributes:
        inside_save: Between the beginning and the end of a save.
        before_a_step: Before the first step of the process.
        at_steps: At the steps of each stop that was elsewhere.
    """

    inside_save: int = 0
    before_a_step: int = 0
    at_steps: list[int] = field(default_factory=list)

    def add(self, watched: Watched) -> None:
        """Counts a stop."""
        if watched.is_saving:
            self.inside_save += 1
        elif watched.step < 0:
            self.before_a_step += 1
        else:
            self.at_steps.append(watched.step)


def moments(
    draws: random.Random, watched: Watched, count: int, *, seconds: float, saves: int
) -> Iterator[Moment]:
    """Moments to stop at, every other one inside a save.

    Args:
        draws: Draws them.
        watched: The numbers of the command.
        count: How many.
        seconds: The others are drawn up to this many seconds of the processor's time after a
            start, so that a busy machine moves none of them.
        saves: The saves are drawn from this many first ones of a start.
    """
    for number in range(count):
        if number % 2:
            yield _after(draws.uniform(_EARLIEST_SECONDS, seconds))
        else:
            yield _inside_save(watched, draws.randint(1, saves), draws.uniform(0.0, 1.0))


def run_stopped(
    start: Callable[[], Forked], when: Iterator[Moment], stop: Stop = Forked.kill
) -> Ended:
    """Stops a command at each moment until it ends by itself.

    Args:
        start: Starts the command; started again it has to go on where it was.
        when: The moments, one a start; without any the command is left alone.
        stop: Stops a process and waits for its end.

    Raises:
        ChaosError: A start failed by itself.
    """
    ended = Ended()
    while True:
        process = start()
        moment = next(when, None)
        if moment is not None and moment(process):
            stop(process)
            ended.stops += 1
            print(f"  stopped after {time.monotonic() - process.began:.1f} s", file=sys.stderr)
            continue
        code = process.wait()
        ended.output, ended.seconds = process.output, time.monotonic() - process.began
        ended.processor_seconds = process.processor_seconds
        # A kill between the last file and the exit leaves a finished run.
        if code != 0 and "holds a finished" not in ended.output:
            raise ChaosError(f"exit code {code}:\n{ended.output[-2000:]}")
        return ended


def _after(seconds: float) -> Moment:
    def wait(process: Forked) -> bool:
        while process.poll() is None:
            if process.processor_seconds >= seconds:
                return True
            time.sleep(_POLL_PROCESSOR_SECONDS)
        return False

    return wait


def _inside_save(watched: Watched, number: int, share: float) -> Moment:
    """Somewhere in a save of a process, counted from 1; `share` of what the one before took."""

    def wait(process: Forked) -> bool:
        began = took = 0.0
        while process.poll() is None:
            if watched.begun >= number and watched.is_saving:
                # A save takes milliseconds, most of them for flushing to the disk.
                time.sleep(share * (took or 0.01))
                return process.poll() is None
            if watched.is_saving and not began:
                began = time.monotonic()
            elif began and not watched.is_saving:
                began, took = 0.0, time.monotonic() - began
            time.sleep(_POLL_SECONDS)
        return False

    return wait
