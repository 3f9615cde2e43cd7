"""A command in a process of its own, forked from one that has imported all that takes long.

Importing TensorFlow is most of a short run, and no kill during it can harm a file. A fork is
killed and ended by the operating system like any other process; nothing of it is in the parent.
"""

import os
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path

_POLL_SECONDS = 0.002
_TICKS = os.sysconf("SC_CLK_TCK")  # a second, in /proc


def import_everything() -> None:
    """Imports what training and searching use, without touching a device."""
    import keras_tuner  # noqa: F401
    import matplotlib.figure  # noqa: F401
    import tensorflow  # noqa: F401
    import transformers

    _ = transformers.TFBertModel  # transformers imports a model when it is first named
    import tf_finetune.jobs.search_run
    import tf_finetune.jobs.training_run  # noqa: F401


class Forked:
    """A running command.

    Args:
        main: `main(argv)` of a trainer.
        argv: Its arguments.
        log: File for all that it prints.
        before: Called in the new process first.

    Attributes:
        pid: Of the process, which leads a group of its own.
        began: When it was started, by `time.monotonic()`.
    """

    def __init__(
        self,
        main: Callable[[Sequence[str]], int],
        argv: Sequence[str],
        log: Path,
        before: Callable[[], None] = lambda: None,
    ):
        self._log = log
        self._code: int | None = None
        self._used = 0.0
        self.began = time.monotonic()
        self.pid = os.fork()
        if self.pid == 0:
            _become(main, argv, log, before)

    def poll(self) -> int | None:
        """Its exit code, or minus the signal that ended it; None while it runs."""
        if self._code is None:
            pid, status, usage = os.wait4(self.pid, os.WNOHANG)
            if pid:
                self._code = os.waitstatus_to_exitcode(status)
                self._used = usage.ru_utime + usage.ru_stime
        return self._code

    @property
    def processor_seconds(self) -> float:
        """How long processors have worked for it, which no other process' load prolongs."""
        if self.poll() is not None:
            return self._used
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def wait(self, seconds: float | None = None) -> int | None:
        """Waits for its end, or for some seconds at most; as `poll`."""
        until = None if seconds is None else time.monotonic() + seconds
        while self.poll() is None and (until is None or time.monotonic() < until):
            time.sleep(_POLL_SECONDS)
        return self._code

    def send(self, number: signal.Signals) -> None:
        """Sends it a signal."""
        os.kill(self.pid, number)

    def kill(self) -> None:
        """SIGKILL to its whole group; waits for its end."""
        os.killpg(self.pid, signal.SIGKILL)
        self.wait()

    @property
    def output(self) -> str:
        """What it has printed."""
        return self._log.read_text(encoding="utf-8", errors="replace")


def _become(
    main: Callable[[Sequence[str]], int],
    argv: Sequence[str],
    log: Path,
    before: Callable[[], None],
) -> None:
    """Runs the command in this new process and ends it, whatever happens."""
    from trainers.cli import run_command

    code = 1
    try:
        os.setsid()
        with log.open("wb") as file:
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
        before()
        code = run_command(main, argv)
    finally:
        os._exit(code)
