"""Ctrl-C and SIGTERM: how a run is asked to stop, and when it does.

By default the first signal raises `Interrupted` wherever the program is, and later ones are
ignored while it cleans up. In a region of `deferred`, a signal is only remembered, and raised
where the region's own code asks for it: between two training steps, say, when all that is
needed to go on can be saved. So it can neither hit the middle of a save nor get lost in a
callback of a library that ignores exceptions.
"""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupted(KeyboardInterrupt):
    """A signal asked the process to stop.

    Attributes:
        signum: SIGINT or SIGTERM.
    """

    def __init__(self, signum: int):
        super().__init__(signal.Signals(signum).name)
        self.signum = signum

    @property
    def exit_code(self) -> int:
        """What a shell expects: 130 or 143."""
        return 128 + self.signum

    def _render_traceback_(self) -> list[str]:
        """What IPython shows in place of a traceback."""
        return ["interrupted; the same call goes on from what was saved"]


class _State:
    regions = 0
    received: int | None = None


@contextmanager
def raised() -> Iterator[None]:
    """A region in which the first signal raises `Interrupted` and others are ignored."""

    def handle(signum: int, frame: FrameType | None) -> None:
        if _State.received is None:
            _State.received = signum
            raise Interrupted(signum)

    with _handling(handle):
        yield


@contextmanager
def deferred() -> Iterator[Callable[[], None]]:
    """A region in which a signal waits.

    Yields:
        Raises `Interrupted` if a signal has come; to be called where stopping does no harm.
        Leaving the region normally does the same.
    """

    def handle(signum: int, frame: FrameType | None) -> None:
        _State.received = _State.received or signum

    with _handling(handle):
        yield check
        check()


def check() -> None:
    """Raises `Interrupted` if a signal has come in the region around."""
    if is_asked_for():
        stop()


def forget() -> None:
    """Takes the signal that came as answered: the next one counts again."""
    _State.received = None


def is_asked_for() -> bool:
    """Whether a signal has come in the region around."""
    return _State.received is not None


def stop() -> None:
    """Raises `Interrupted` for the signal that has come, here or to another process."""
    raise Interrupted(_State.received or signal.SIGTERM)


@contextmanager
def _handling(handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Handles the signals until the end; only the main thread of a process can."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    if _State.regions == 0:
        _State.received = None
    previous = {number: signal.signal(number, handler) for number in _SIGNALS}
    _State.regions += 1
    try:
        yield
    finally:
        _State.regions -= 1
        for number, before in previous.items():
            signal.signal(number, before)
        if _State.regions == 0:
            _State.received = None
