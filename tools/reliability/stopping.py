"""Stops a command by SIGTERM or Ctrl-C, and holds what it does against what it promises."""

import random
import signal
import subprocess
import time

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

    def __call__(self, process: "subprocess.Popen[str]") -> None:
        """Stops a process.

        Raises:
            ChaosError: It did not end, with another code, or without a word.
        """
        number = self._moments.choice((signal.SIGTERM, signal.SIGINT))
        began = time.monotonic()
        process.send_signal(number)
        if len(self.seconds) % 2:
            time.sleep(_SECOND_SIGNAL_AFTER)
            if process.poll() is None:
                process.send_signal(number)
        try:
            output, _ = process.communicate(timeout=_GIVE_UP_AFTER)
        except subprocess.TimeoutExpired:
            process.kill()
            raise ChaosError(f"still running {_GIVE_UP_AFTER:g} s after {number.name}") from None
        self.seconds.append(time.monotonic() - began)
        if process.returncode == 0:  # it had just come to its end
            return
        said = f"interrupted by {number.name}"
        if process.returncode != 128 + number or said not in output:
            raise ChaosError(
                f"exit code {process.returncode} after {number.name}:\n{output[-2000:]}"
            )
        if "run directory" in output and "go on with:" not in output:
            raise ChaosError(f"no command to go on with:\n{output[-2000:]}")
