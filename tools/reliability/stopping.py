"""Stops a command by SIGTERM or Ctrl-C, and holds what it does against what it promises.

The seconds are those to the end of the process. The checkpoint is on the disk before, and the
weights of what goes on show that it was; so they are an upper bound of the time that it takes.
"""

import random
import signal
import time

from tools.reliability.forked import Forked
from tools.reliability.killing import ChaosError

_WITHIN_SECONDS = 10.0
_SECOND_SIGNAL_AFTER = 0.2
_GIVE_UP_AFTER = 120.0


class PoliteStops:
    """Sends one of the two signals, every other time once more a moment later.

    Args:
        moments: Draws the signals.

    Attributes:
        seconds: From each signal to the end of the process.
    """

    def __init__(self, moments: random.Random):
        self._moments = moments
        self.seconds: list[float] = []

    @property
    def slow(self) -> int:
        """How many took longer than ten seconds."""
        return sum(seconds > _WITHIN_SECONDS for seconds in self.seconds)

    def __call__(self, process: Forked) -> None:
        """Stops a process.

        Raises:
            ChaosError: It did not end, with another code, or without a word.
        """
        number = self._moments.choice((signal.SIGTERM, signal.SIGINT))
        began = time.monotonic()
        process.send(number)
        if len(self.seconds) % 2:
            time.sleep(_SECOND_SIGNAL_AFTER)
            if process.poll() is None:
                process.send(number)
        code = process.wait(_GIVE_UP_AFTER)
        if code is None:
            process.kill()
            raise ChaosError(f"still running {_GIVE_UP_AFTER:g} s after {number.name}")
        self.seconds.append(time.monotonic() - began)
        output = process.output
        if code == 0 or "holds a finished" in output:  # it had just come to its end
            return
        if code != 128 + number or f"interrupted by {number.name}" not in output:
            raise ChaosError(f"exit code {code} after {number.name}:\n{output[-2000:]}")
        if "run directory" in output and "go on with:" not in output:
            raise ChaosError(f"no command to go on with:\n{output[-2000:]}")
