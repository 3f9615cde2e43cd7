"""How much memory a trial needs at its highest."""

import contextlib
import ctypes
import os
import threading
from pathlib import Path
from types import TracebackType

import tensorflow as tf

_STATUS = Path("/proc/self/statm")
_CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")


class PeakMemory:
    """Measures the most memory in use inside a `with` block.

    With GPUs that is the memory of their allocators. Otherwise it is the resident memory of
    this process, sampled by a thread: `ru_maxrss` is the highest since the process began
    and would show every trial the largest one before it.

    Args:
        interval_seconds: Between two samples.

    Attributes:
        peak_bytes: The highest value seen; None where it cannot be measured.
    """

    def __init__(self, interval_seconds: float = 0.05):
        self._interval = interval_seconds
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._sample, name="peak-memory", daemon=True)
        self._gpus = [f"GPU:{i}" for i, _ in enumerate(tf.config.list_logical_devices("GPU"))]
        self.peak_bytes: int | None = None

    def __enter__(self) -> "PeakMemory":
        """Begins to measure."""
        for gpu in self._gpus:
            tf.config.experimental.reset_memory_stats(gpu)
        if not self._gpus:
            _give_back_freed()
            self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Ends measuring."""
        if self._gpus:
            peaks = (tf.config.experimental.get_memory_info(gpu)["peak"] for gpu in self._gpus)
            self.peak_bytes = sum(peaks)
            return
        self._ended.set()
        self._thread.join()

    def _sample(self) -> None:
        while True:
            now = resident_bytes()
            if now is None:
                return
            self.peak_bytes = max(now, self.peak_bytes or 0)
            if self._ended.wait(self._interval):
                return


def resident_bytes() -> int | None:
    """Resident memory of this process; None where there is no /proc."""
    try:
        pages = int(_STATUS.read_text().split()[1])
    except OSError:
        return None
    return pages * os.sysconf("SC_PAGE_SIZE")


def host_bytes() -> int:
    """Memory of the machine, or of the container if that is limited."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    with contextlib.suppress(OSError, ValueError):  # no container, or "max"
        total = min(total, int(_CGROUP_LIMIT.read_text()))
    return total


def _give_back_freed() -> None:
    """Lets the C library return what earlier trials freed, so that it is not counted again."""
    with contextlib.suppress(OSError, AttributeError):  # not glibc
        ctypes.CDLL(None).malloc_trim(0)


def memory_reason(error: BaseException) -> str:
    """What an allocation that failed says, in a line."""
    detail = str(error).strip().splitlines()
    return f"out of memory: {detail[0][:200]}" if detail else "out of memory"
