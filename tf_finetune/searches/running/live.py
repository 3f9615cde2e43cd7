"""What a search shows while it runs: one live display, or a line a trial when piped."""

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import NamedTuple

from rich.console import Console, Group
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from tf_finetune.live_display import LiveDisplay
from tf_finetune.machine.memory import host_bytes, resident_bytes
from tf_finetune.results.trial import exact_rate
from tf_finetune.searches.running.records import TrialRecord
from tf_finetune.searches.running.trial_request import TrialRequest


class Progress(NamedTuple):
    """How far a search is.

    Attributes:
        done: Trials that ended.
        total: Trials expected in all; None: nobody knows.
        seconds_left: Estimate of the time left; None if unknown.
    """

    done: int
    total: int | None
    seconds_left: float | None


class SearchDisplay:
    """Shows trials done and left, the best so far, time left and memory.

    Args:
        console: Where to show it.
        metric: Name of the score.
        higher_is_better: Its direction.
        progress: Says how far the search is.
        known: Trials that an earlier process finished.
    """

    def __init__(
        self,
        console: Console,
        metric: str,
        higher_is_better: bool,
        progress: Callable[[], Progress],
        known: list[TrialRecord],
    ):
        self._console = console
        self._metric = metric
        self._higher_is_better = higher_is_better
        self._progress = progress
        self._at = Progress(len(known), len(known), None)
        self._lock = threading.Lock()
        self._running: dict[str, tuple[TrialRequest, float, str]] = {}
        self._best: TrialRecord | None = None
        self._started = self._at_time = time.monotonic()
        for record in known:
            self._consider(record)
        # The display asks a few times a second; what it shows is only read then.
        self._live = LiveDisplay(console, self._render)

    def __enter__(self) -> "SearchDisplay":
        """Shows it."""
        self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Takes it away."""
        self._live.stop()

    def on_begin(self, tuner_id: str, request: TrialRequest) -> None:
        """A trial began."""
        at = self._progress()
        with self._lock:
            self._at, self._at_time = at, time.monotonic()
            self._running[tuner_id] = (request, self._at_time, "")

    def on_line(self, line: str, tuner_id: str = "tuner0") -> None:
        """A line about the trial that runs, such as the scores of an epoch."""
        with self._lock:
            if tuner_id in self._running:
                request, began, _ = self._running[tuner_id]
                self._running[tuner_id] = (request, began, line)

    def on_end(self, tuner_id: str, record: TrialRecord) -> None:
        """A trial ended: a line stays for it."""
        at = self._progress()
        with self._lock:
            self._at, self._at_time = at, time.monotonic()
            self._running.pop(tuner_id, None)
            self._consider(record)
        self.note(self._line(record), "yellow" if not record.is_completed else "")

    def note(self, line: str, style: str = "") -> None:
        """Prints a line above the display."""
        self._console.print(Text(line, style=style), soft_wrap=True)

    def _consider(self, record: TrialRecord) -> None:
        """Equal scores are decided by the loss, as in the answer."""
        if record.result.score is not None and (
            self._best is None
            or record.result.order(self._higher_is_better)
            < self._best.result.order(self._higher_is_better)
        ):
            self._best = record

    def _line(self, record: TrialRecord) -> str:
        done, total, left = self._at
        count = f"{done}" if total is None else f"{done}/{total}"
        head = f"[{count}] {describe(record.request)}: "
        result = record.result
        if not record.is_completed:
            return f"{head}failed: {result.reason}"
        memory = f", {result.peak_memory_bytes / 2**30:.1f} GiB" if result.peak_memory_bytes else ""
        line = f"{head}{self._metric} {result.score:.4f} in {duration(record.wall_seconds)}{memory}"
        if result.given_up:
            line += f", given up after {result.epochs} of {record.request.epochs} epochs"
        if self._best is not None and self._best is not record:
            line += f"; best {self._best_text()}"
        return line + (f"; {duration(left)} left" if left else "")

    def _best_text(self) -> str:
        if self._best is None:
            return "none yet"
        return f"{self._best.result.score:.4f} ({describe(self._best.request)})"

    def _render(self) -> Group:
        with self._lock:
            done, total, left = self._at
            running = dict(self._running)
            best = self._best_text()
            since_then = time.monotonic() - self._at_time
        elapsed = time.monotonic() - self._started
        table = Table.grid(padding=(0, 2))
        if total is None:
            table.add_row("trials", f"{done} done")
        else:
            table.add_row("trials", f"{done} of {total} done, {max(total - done, 0)} left")
            table.add_row("", ProgressBar(total=max(total, 1), completed=done, width=40))
        table.add_row(f"best {self._metric}", Text(best))
        for request, began, line in running.values():
            since = duration(time.monotonic() - began)
            table.add_row("running", Text(f"{describe(request)}, {since}  {line}"))
        time_left = "not known yet"
        if left is not None:
            time_left = "about " + duration(max(0.0, left - since_then))
        table.add_row("time", f"{duration(elapsed)} passed, left: {time_left}")
        resident = resident_bytes()
        if resident is not None:
            table.add_row(
                "memory", f"{resident / 2**30:.1f} of {host_bytes() / 2**30:.0f} GiB in use here"
            )
        return Group(table)


def describe(request: TrialRequest) -> str:
    """A trial in a few words."""
    cell = request.cell
    rate = exact_rate(cell.learning_rate)
    method = [cell.place.method_name] if cell.method else []
    words = [f"depth {cell.frozen_depth}", *method]
    words.append("head solved" if cell.is_solved else f"lr {rate}")
    words += [f"{name.rsplit('.', 1)[-1]} {value}" for name, value in cell.options.items()]
    return ", ".join([*words, "any seed" if cell.is_solved else f"seed {request.seed}"])


def duration(seconds: float) -> str:
    """Seconds as people say them: `8 s`, `3 min 5 s`, `2 h 10 min`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
